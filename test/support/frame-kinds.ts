/** Frames of every kind that a LAN sees, each of which a switch that is no filter has to carry. */
import { randomInt } from 'node:crypto'
import { makeFrame } from '#test/support/frames.ts'

export interface NamedFrame {
  name: string
  frame: Buffer
}

type Tags = readonly (readonly [tpid: number, tci: number])[]

const TPID_C = 0x8100
const TPID_S = 0x88a8
const TPID_OLD = 0x9100

const TAG_STACKS: Readonly<Record<string, Tags>> = {
  untagged: [],
  'one tag': [[TPID_C, 10]],
  'priority tag, VID 0': [[TPID_C, 0xa000]],
  'VID 0 without priority': [[TPID_C, 0]],
  'VID 4095, all bits of the TCI': [[TPID_C, 0xffff]],
  'drop eligible': [[TPID_C, 0x1065]],
  'service tag alone': [[TPID_S, 100]],
  'old service tag alone': [[TPID_OLD, 100]],
  'two tags': [
    [TPID_C, 100],
    [TPID_C, 10],
  ],
  'priority tag over a tag': [
    [TPID_C, 0xe000],
    [TPID_C, 10],
  ],
  'service tag, tag': [
    [TPID_S, 0x6064],
    [TPID_C, 10],
  ],
  'old service tag, tag': [
    [TPID_OLD, 100],
    [TPID_C, 10],
  ],
  'four tags': [
    [TPID_S, 4094],
    [TPID_S, 2],
    [TPID_C, 3],
    [TPID_C, 0x2004],
  ],
}

/** Name, destination, EtherType or length, first octets of the payload. */
const KINDS: readonly (readonly [string, string, number, string])[] = [
  ['STP', '01:80:c2:00:00:00', 39, '424203 0000 00 00 8000020000000001 00000000 8000020000000001 8001'],
  ['RSTP', '01:80:c2:00:00:00', 39, '424203 0000 02 02 8000020000000001 00000000 8000020000000001 8001'],
  ['pause', '01:80:c2:00:00:01', 0x8808, '0001 ffff'],
  ['LACP', '01:80:c2:00:00:02', 0x8809, '01 01 0114 8000020000000001 0001 8000 0001 3d000000'],
  ['802.1X', '01:80:c2:00:00:03', 0x888e, '01 01 0000'],
  ['provider STP', '01:80:c2:00:00:08', 39, '424203 0000 00 00'],
  ['MVRP', '01:80:c2:00:00:0d', 0x88f5, '00 01'],
  ['LLDP', '01:80:c2:00:00:0e', 0x88cc, '0207 04 020000000001 0403 05 6531 0602 0078 0000'],
  ['LLDP, nearest customer bridge', '01:80:c2:00:00:00', 0x88cc, '0207 04 020000000001 0000'],
  ['LLDP, nearest non-TPMR bridge', '01:80:c2:00:00:03', 0x88cc, '0207 04 020000000001 0000'],
  ['MMRP', '01:80:c2:00:00:20', 0x88f6, '00 01'],
  ['CFM', '01:80:c2:00:00:30', 0x8902, '20 01 00 46'],
  ['PTP', '01:80:c2:00:00:0e', 0x88f7, '12 02 0036'],
  ['CDP over SNAP', '01:00:0c:cc:cc:cc', 60, 'aaaa03 00000c 2000 02b4'],
  ['PVST over SNAP', '01:00:0c:cc:cc:cd', 50, 'aaaa03 00000c 010b 0000 00 00'],
  ['IS-IS over LLC', '01:80:c2:00:00:14', 46, 'fefe03 83 1b 01 00'],
  ['Novell raw 802.3', 'ff:ff:ff:ff:ff:ff', 46, 'ffff 002e'],
  ['loopback test', 'cf:00:00:00:00:00', 0x9000, '0000 0100'],
  [
    'ARP request',
    'ff:ff:ff:ff:ff:ff',
    0x0806,
    '0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202',
  ],
  [
    'gratuitous ARP',
    'ff:ff:ff:ff:ff:ff',
    0x0806,
    '0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000201',
  ],
  ['RARP', 'ff:ff:ff:ff:ff:ff', 0x8035, '0001 0800 06 04 0003'],
  ['IPv4', '02:00:00:00:00:02', 0x0800, '45000040 00000000 40 fd 0000 c0000201 c0000202'],
  [
    'IPv4, wrong checksum and length',
    '02:00:00:00:00:02',
    0x0800,
    '4600ffff 00002000 00 06 dead 00000000 ffffffff',
  ],
  ['IPv4 broadcast', 'ff:ff:ff:ff:ff:ff', 0x0800, '45000040 00000000 40 fd 0000 c0000201 ffffffff'],
  ['IPv4 multicast', '01:00:5e:00:00:05', 0x0800, '45c00040 00000000 01 59 0000 c0000201 e0000005'],
  ['IPv6', '02:00:00:00:00:02', 0x86dd, '60000000 0018 3b 40 20010db8'],
  ['IPv6 multicast', '33:33:00:00:00:01', 0x86dd, '60000000 0018 3a ff fe80'],
  ['MPLS', '02:00:00:00:00:02', 0x8847, '00064140'],
  ['PPPoE', '02:00:00:00:00:02', 0x8863, '11 09 0000 0004 0101 0000'],
  ['MACsec', '02:00:00:00:00:02', 0x88e5, '2c 00 00000001'],
  ['unknown EtherType', '02:00:00:00:00:02', 0x88b5, ''],
  ['reserved EtherType', '02:00:00:00:00:02', 0xffff, ''],
  ['type between length and EtherType', '02:00:00:00:00:02', 1535, ''],
  ['length 0', '02:00:00:00:00:02', 0, ''],
  ['source is a group', '02:00:00:00:00:02', 0x88b5, ''],
]

/** One frame of each kind under each stack of tags. */
export function everyKind(length = 96): NamedFrame[] {
  const frames: NamedFrame[] = []
  for (const [stack, tags] of Object.entries(TAG_STACKS))
    for (const [kind, destination, type, payload] of KINDS) {
      const source = kind === 'source is a group' ? '03:00:00:00:00:01' : '02:00:00:00:00:01'
      const frame = makeFrame({ destination, source, tags, type, length, seed: frames.length })
      frame.set(Buffer.from(payload.replaceAll(' ', ''), 'hex'), 14 + 4 * tags.length)
      frames.push({ name: `${kind}, ${stack}`, frame })
    }
  return frames
}

/**
 * Octets of the shortest frame with these tags that a cable between two kernels carries: a kernel that takes the first
 * tag off reads the six octets behind it.
 */
const leastLength = (tags: Tags): number =>
  Math.max(14 + 4 * tags.length, tags[0]?.[0] === TPID_C || tags[0]?.[0] === TPID_S ? 20 : 14)

/** Frames of each size under each stack of tags that it has room for. */
export function everySize(sizes: readonly number[]): NamedFrame[] {
  const frames: NamedFrame[] = []
  for (const [stack, tags] of Object.entries(TAG_STACKS))
    for (const length of sizes) {
      if (length < leastLength(tags)) continue
      const frame = makeFrame({ tags, length, seed: frames.length })
      frames.push({ name: `${length} octets, ${stack}`, frame })
    }
  return frames
}

/** Frames of random sizes and stacks of tags from one address. */
export function randomFrames(count: number, source: string, longest: number): NamedFrame[] {
  const stacks = Object.entries(TAG_STACKS)
  return Array.from({ length: count }, (_, seed) => {
    const [stack, tags] = stacks[randomInt(stacks.length)] ?? ['untagged', []]
    const length = randomInt(leastLength(tags) + 4, longest + 1)
    // The number in the last octets tells frames of the same size apart.
    const frame = makeFrame({ source, tags, length, seed })
    frame.writeUInt32BE(seed, length - 4)
    return { name: `frame ${seed}, ${length} octets, ${stack}`, frame }
  })
}
