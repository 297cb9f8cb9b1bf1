import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flowHash } from '#net/wire/flow-hash.ts'
import { putU16, putU32 } from '#net/wire/octets.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { type Flow, flowFrame } from '#test/support/flow-frames.ts'
import { frameOf, host } from '#test/support/switch-lab.ts'

const SEED = 0x9e3779b9
const hash = (frame: Uint8Array, seed = SEED): number => flowHash(frame, 0, frame.length, seed)
const hashOf = (flow: Flow, length = 100, fill = 0): number => hash(flowFrame(flow, length, fill))

const [TCP, SCTP, UDP_LITE, ESP] = [6, 132, 136, 50]
const [ICMP, ICMPV6, IGMP] = [1, 58, 2]
const FRAGMENT_OF_UDP = '1100 0001 00000007'

/** Sum of squared deviations over the expected count; for 1024 buckets 1023 on average, deviation 45. */
function chiSquare(hashes: readonly number[], bucket: (value: number) => number): number {
  const counts = new Float64Array(1024)
  for (const value of hashes) counts[bucket(value)] = (counts[bucket(value)] ?? 0) + 1
  const expected = hashes.length / 1024
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0)
}

const extensions = (offset: string): Flow => ({
  version: 6,
  extension: 44,
  extensions: `1100 ${offset} 00000007`,
})

const arp = (to: number, from: number, tags = '', type = 0x0806, fill = 1): number => {
  const body = new Uint8Array(48).fill(fill)
  putU16(body, 0, type)
  return hash(frameOf(host(to), host(from), tags, body))
}

const broken = (octet: number): number => {
  const frame = flowFrame({})
  frame[14] = 0x44
  frame[40] = octet
  return hash(frame)
}

describe('flowHash', () => {
  it('tells flows apart by each of their fields', () => {
    const flows: Flow[] = [
      {},
      { source: 1 },
      { destination: 1 },
      { source: 0x0a000002, destination: 0x0a000001 },
      { ports: 1 },
      { ports: 0x10000 },
      { tags: '8100.0' },
      { tags: '8100.5' },
      { tags: '8100.6' },
      { tags: '88a8.5 8100.6' },
      { tags: '88a8.6 8100.5' },
      { tags: '9100.5 9200.6 8100.7' },
      { tags: '9100.5 9200.6 8100.7 8100.0' },
      { tags: '9100.5 9200.6 8100.7 8100.8' },
      ...[TCP, SCTP, UDP_LITE, ESP].flatMap((protocol) => [{ protocol }, { protocol, ports: 1 }]),
      { protocol: IGMP },
      { version: 6 },
      { version: 6, source: 1 },
      { version: 6, destination: 1 },
      { version: 6, ports: 1 },
      { version: 6, protocol: TCP },
      { version: 6, tags: '8100.5' },
    ]
    expect(new Set(flows.map((flow) => hashOf(flow))).size).toBe(flows.length)
  })

  it('keeps a flow together whatever else its frames carry', () => {
    for (const version of [4, 6]) {
      const one = hashOf({ version, ports: 7, tags: '8100.5' })
      expect(hashOf({ version, ports: 7, tags: '8100.5' }, 1500, 0xaa)).toBe(one)
      expect(hashOf({ version, ports: 7, tags: '8100.5', ecn: 3 })).toBe(one)
      expect(hashOf({ version, ports: 7, tags: '8100.5p7' })).toBe(one)
      expect(hashOf({ version, ports: 7, tags: '88a8.5' })).toBe(one)
      expect(hashOf({ version, ports: 7, tags: '8100.5', macs: [host(3), host(4)] })).toBe(one)
    }
    // The TTL, and where in memory the frame lies.
    const frame = flowFrame({})
    const moved = new Uint8Array(200).fill(0x55)
    moved.set(frame, 33)
    moved[33 + 22] = 1
    expect(flowHash(moved, 33, 33 + frame.length, SEED)).toBe(hash(frame))
  })

  it('keeps all fragments of a datagram together', () => {
    const fragments = [0x2000, 0x20b9, 0x00b9]
    expect(
      new Set(fragments.map((fragment, i) => hashOf({ fragment, ports: i === 0 ? 0x350035 : i }))).size,
    ).toBe(1)
    const first = hashOf({ ...extensions('0001'), ports: 0x350035 })
    expect(hashOf({ ...extensions('05a8'), ports: 99 })).toBe(first)
    expect(hashOf({ ...extensions('0001'), source: 5 })).not.toBe(first)
  })

  it('looks for the ports behind extension headers', () => {
    const behind = (ports: number): number =>
      hashOf({ version: 6, ports, extension: 60, extensions: '1100 0104 00000000' })
    expect(behind(1)).toBe(hashOf({ version: 6, ports: 1 }))
    expect(behind(2)).not.toBe(behind(1))
    expect(hashOf({ version: 6, ports: 1, extension: 44, extensions: FRAGMENT_OF_UDP })).toBe(
      hashOf({ version: 6, ports: 0 }),
    )
  })

  it('tells pings apart by their identifier, not by their sequence', () => {
    for (const [version, protocol, types] of [
      [4, ICMP, [8, 0]],
      [6, ICMPV6, [128, 129]],
    ] as const) {
      const echo = (type: number, identifier: number, sequence: number): number => {
        const frame = flowFrame({ version, protocol, ports: type << 24 }, 100)
        const at = (version === 4 ? 34 : 54) + 4
        putU16(frame, at, identifier)
        putU16(frame, at + 2, sequence)
        return hash(frame)
      }
      for (const type of types) {
        expect(echo(type, 1, 1)).toBe(echo(type, 1, 2))
        expect(echo(type, 1, 1)).not.toBe(echo(type, 2, 1))
      }
      // "Unreachable" has no identifier.
      expect(echo(3, 1, 1)).toBe(echo(3, 2, 1))
    }
  })

  it('takes MAC addresses, VLAN and type of everything else', () => {
    expect(arp(1, 2, '', 0x0806, 9)).toBe(arp(1, 2))
    const others = [arp(1, 3), arp(3, 2), arp(1, 2, '8100.5'), arp(1, 2, '', 0x88cc), arp(1, 2, '', 46)]
    expect(new Set([arp(1, 2), ...others]).size).toBe(6)
    // A fifth tag is payload, and so is an IP header that is none.
    const deep = '8100.1 8100.2 8100.3 8100.4 8100.5'
    expect(hashOf({ tags: deep, ports: 1 })).toBe(hashOf({ tags: deep, ports: 2 }))
    expect(broken(1)).toBe(broken(2))
  })

  it('takes what is there of a frame cut short, and nothing behind its end', () => {
    for (const flow of [{}, { version: 6 }, { tags: '88a8.5 8100.6' }, { version: 6, tags: '8100.6' }]) {
      const frame = flowFrame(flow, 100, 7)
      for (let end = 0; end < 80; end++) {
        const other = frame.slice()
        other.fill(0xee, end)
        expect(flowHash(frame, 0, end, SEED), `end ${end}`).toBe(flowHash(other, 0, end, SEED))
        const alone = frame.slice(0, end)
        expect(hash(alone), `end ${end}`).toBe(flowHash(frame, 0, end, SEED))
      }
    }
    expect(hash(Uint8Array.from([1, 2, 3, 4, 5]))).not.toBe(hash(Uint8Array.from([1, 2, 3, 4, 6])))
    expect(hash(Uint8Array.from([0]))).not.toBe(hash(Uint8Array.from([0, 0])))
  })

  it('is a number of 31 bits for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer(), (octets, seed) => {
        const value = hash(octets, seed)
        expect(Number.isInteger(value) && value >= 0 && value < 2 ** 31).toBe(true)
      }),
    )
  })

  it('spreads flows that differ in one field only evenly, by its low and by its high bits', () => {
    const kinds: Record<string, (frame: DataView, i: number) => void> = {
      'source address': (frame, i) => frame.setUint32(26, 0x0a000000 + i),
      'destination network': (frame, i) => frame.setUint32(30, (i << 18) | 1),
      'source port': (frame, i) => frame.setUint16(34, 10_000 + i),
      'destination port': (frame, i) => frame.setUint16(36, i * 6),
      'both ports alike': (frame, i) => frame.setUint32(34, i * 0x10001),
    }
    for (const [name, change] of Object.entries(kinds)) {
      for (const seed of [0, 1, SEED]) {
        const frame = flowFrame({})
        const view = new DataView(frame.buffer, frame.byteOffset)
        const hashes = Array.from({ length: 10_000 }, (_, i) => {
          change(view, i)
          return hash(frame, seed)
        })
        expect(
          chiSquare(hashes, (value) => value & 1023),
          `${name}, low bits`,
        ).toBeLessThan(1023 + 5 * 45)
        expect(
          chiSquare(hashes, (value) => value >>> 21),
          `${name}, high bits`,
        ).toBeLessThan(1023 + 5 * 45)
      }
    }
  })

  it('spreads IPv6 sources, MAC addresses, pairs of VLANs and tags too', () => {
    const numbers = Array.from({ length: 10_000 }, (_, i) => i)
    const kinds = {
      source: (i: number) => hashOf({ version: 6, source: i }),
      mac: (i: number) => hash(frameOf(host(1), host(i), '', Uint8Array.from([0x88, 0xcc, 1, 2]))),
      vlans: (i: number) => hashOf({ tags: `88a8.${(i / 100) | 0} 8100.${i % 100}` }),
    }
    for (const [name, kind] of Object.entries(kinds)) {
      expect(
        chiSquare(numbers.map(kind), (value) => value & 1023),
        `by ${name}`,
      ).toBeLessThan(1023 + 5 * 45)
    }
  })

  it('puts flows that meet under one seed apart under another', () => {
    const frame = flowFrame({})
    const meet = (seed: number, ports: readonly number[]): number[] =>
      ports.filter((value) => {
        putU32(frame, 34, value)
        return (hash(frame, seed) & 1023) === 0
      })
    const met = meet(
      1,
      Array.from({ length: 100_000 }, (_, i) => i),
    )
    expect(met.length).toBeGreaterThan(50)
    for (const seed of [0, 2, 0x80000001, -1]) expect(meet(seed, met).length, `seed ${seed}`).toBeLessThan(5)
  })

  it('allocates nothing', () => {
    for (const flow of [{}, { version: 6, tags: '88a8.5 8100.6' }]) {
      const frame = flowFrame(flow, 100)
      let ports = 0
      const at = frame.length - 50
      const call = (): void => {
        putU16(frame, at, ports++ & 0xffff)
        flowHash(frame, 0, frame.length, SEED)
      }
      expect(bytesPerCall(call)).toBeLessThan(8)
    }
  })
})
