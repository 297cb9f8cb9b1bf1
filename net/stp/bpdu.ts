/**
 * Bridge protocol data units (IEEE Std 802.1D-2004 §9.3), in an IEEE 802.3 frame with LLC, in network byte order:
 *
 *    0      6      12        14          17
 *    | dst  | src  | length  | 42 42 03  | BPDU             dst 01:80:c2:00:00:00
 *
 *    0           2         3      4       5         13     17           25       27        29       31      33      35
 *    | protocol  | version | type | flags | root(8) | cost | bridge(8)  | port   | message | max    | hello | delay | 0 |
 *    | 0         | 0 or 2  |      |       |         | (4)  |            |        | age     | age    | time  |       |   |
 *
 * type 0x00 Configuration ends after 35 octets, 0x80 Topology Change Notification after 4, 0x02 Rapid Spanning Tree
 * has a last octet of 0. Flags: TC 01, proposal 02, role 0c, learning 10, forwarding 20, agreement 40, TC ack 80.
 */
import type { PriorityVector } from '#net/stp/priority.ts'
import type { Times } from '#net/stp/times.ts'
import { isBpdu } from '#net/wire/bpdu.ts'
import { putU16, putU32, putU8, u16, u32, u8 } from '#net/wire/octets.ts'

/** Longest frame that `encodeBpdu` makes: what Ethernet takes, with padding. */
export const BPDU_FRAME_LEN = 60

export type BpduType = 'config' | 'tcn' | 'rst'
/** Role of the sending port; a Configuration BPDU always comes from a Designated Port. */
export type BpduRole = 'unknown' | 'alternate' | 'root' | 'designated'

export interface Bpdu {
  readonly type: BpduType
  readonly role: BpduRole
  readonly topologyChange: boolean
  readonly topologyChangeAck: boolean
  readonly proposal: boolean
  readonly agreement: boolean
  readonly learning: boolean
  readonly forwarding: boolean
  readonly priority: PriorityVector
  readonly times: Times
}

const LLC = 14
const BPDU = 17
const LLC_BPDU = 0x424203
const TYPE_CONFIG = 0x00
const TYPE_TCN = 0x80
const TYPE_RST = 0x02
const TCN_LEN = 4
const CONFIG_LEN = 35
const RST_LEN = 36
const ROLES: readonly BpduRole[] = ['unknown', 'alternate', 'root', 'designated']

const TC = 0x01
const PROPOSAL = 0x02
const ROLE_SHIFT = 2
const LEARNING = 0x10
const FORWARDING = 0x20
const AGREEMENT = 0x40
const TC_ACK = 0x80

/**
 * Reads the BPDU of frame `b[start, end)`, of at least 14 octets. Unknown versions are read as the one that is known
 * (§9.3.4), octets after it are ignored.
 * @returns null when it is malformed or none
 */
export function decodeBpdu(b: Uint8Array, start: number, end: number): Bpdu | null {
  if (end - start < BPDU + TCN_LEN || !isBpdu(b, start, end)) return null
  const length = u16(b, start + 12) - (BPDU - LLC)
  const at = start + BPDU
  if (length < TCN_LEN || at + length > end || u16(b, at) !== 0) return null
  const type = u8(b, at + 3)
  if (type === TYPE_TCN) return TCN
  if (type === TYPE_CONFIG && length >= CONFIG_LEN) {
    const { role: _, ...config } = decodeFields(b, at)
    if (config.times.messageAge >= config.times.maxAge) return null
    // Its other flags are reserved (§9.3.1).
    return {
      ...config,
      type: 'config',
      role: 'designated',
      proposal: false,
      agreement: false,
      learning: false,
      forwarding: false,
    }
  }
  if (type !== TYPE_RST || length < RST_LEN || u8(b, at + 2) < 2) return null
  const rst = decodeFields(b, at)
  // §9.2.9: with an unknown role it is taken for a Configuration BPDU.
  return rst.role === 'unknown' ? { ...rst, type: 'config', role: 'designated' } : rst
}

const NONE: PriorityVector = { root: 0n, cost: 0, bridge: 0n, port: 0 }
const TCN: Bpdu = {
  type: 'tcn',
  role: 'unknown',
  topologyChange: false,
  topologyChangeAck: false,
  proposal: false,
  agreement: false,
  learning: false,
  forwarding: false,
  priority: NONE,
  times: { messageAge: 0, maxAge: 0, helloTime: 0, forwardDelay: 0 },
}

function decodeFields(b: Uint8Array, at: number): Bpdu {
  const flags = u8(b, at + 4)
  return {
    type: 'rst',
    role: ROLES[(flags >> ROLE_SHIFT) & 3] ?? 'unknown',
    topologyChange: (flags & TC) !== 0,
    topologyChangeAck: (flags & TC_ACK) !== 0,
    proposal: (flags & PROPOSAL) !== 0,
    agreement: (flags & AGREEMENT) !== 0,
    learning: (flags & LEARNING) !== 0,
    forwarding: (flags & FORWARDING) !== 0,
    priority: {
      root: u64(b, at + 5),
      cost: u32(b, at + 13),
      bridge: u64(b, at + 17),
      port: u16(b, at + 25),
    },
    times: {
      messageAge: u16(b, at + 27),
      maxAge: u16(b, at + 29),
      helloTime: u16(b, at + 31),
      forwardDelay: u16(b, at + 33),
    },
  }
}

/**
 * A frame with the BPDU, padded.
 * @param source  MAC address of the sending port
 */
export function encodeBpdu(bpdu: Bpdu, source: bigint): Uint8Array {
  const b = new Uint8Array(BPDU_FRAME_LEN)
  const length = bpdu.type === 'tcn' ? TCN_LEN : bpdu.type === 'config' ? CONFIG_LEN : RST_LEN
  putU48(b, 0, 0x0180_c200_0000n)
  putU48(b, 6, source)
  putU16(b, 12, BPDU - LLC + length)
  putU32(b, LLC, LLC_BPDU * 0x100) // and the first octet of the protocol identifier, 0
  putU8(b, BPDU + 2, bpdu.type === 'rst' ? 2 : 0)
  putU8(b, BPDU + 3, bpdu.type === 'tcn' ? TYPE_TCN : bpdu.type === 'config' ? TYPE_CONFIG : TYPE_RST)
  if (bpdu.type === 'tcn') return b
  const { root, cost, bridge, port } = bpdu.priority
  const { messageAge, maxAge, helloTime, forwardDelay } = bpdu.times
  putU8(b, BPDU + 4, flagsOf(bpdu))
  putU64(b, BPDU + 5, root)
  putU32(b, BPDU + 13, Math.min(cost, 0xffff_ffff))
  putU64(b, BPDU + 17, bridge)
  putU16(b, BPDU + 25, port)
  putU16(b, BPDU + 27, Math.min(messageAge, 0xffff))
  putU16(b, BPDU + 29, maxAge)
  putU16(b, BPDU + 31, helloTime)
  putU16(b, BPDU + 33, forwardDelay)
  return b
}

function flagsOf(bpdu: Bpdu): number {
  const always = (bpdu.topologyChange ? TC : 0) | (bpdu.topologyChangeAck ? TC_ACK : 0)
  if (bpdu.type !== 'rst') return always
  return (
    always |
    (ROLES.indexOf(bpdu.role) << ROLE_SHIFT) |
    (bpdu.proposal ? PROPOSAL : 0) |
    (bpdu.learning ? LEARNING : 0) |
    (bpdu.forwarding ? FORWARDING : 0) |
    (bpdu.agreement ? AGREEMENT : 0)
  )
}

const u64 = (b: Uint8Array, i: number): bigint => (BigInt(u32(b, i)) << 32n) | BigInt(u32(b, i + 4))

function putU48(b: Uint8Array, i: number, v: bigint): void {
  putU16(b, i, Number(v >> 32n))
  putU32(b, i + 2, Number(v & 0xffff_ffffn))
}

function putU64(b: Uint8Array, i: number, v: bigint): void {
  putU32(b, i, Number(v >> 32n))
  putU32(b, i + 4, Number(v & 0xffff_ffffn))
}
