import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionMatcher } from '#net/port/nic/connection-matcher.ts'
import type { Connection } from '#net/port/nic/connection-matcher.ts'
import { packetFilter } from '#net/port/nic/packet-filter.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { runBpf } from '#test/support/bpf.ts'
import { packet, type PacketFields, TCP, UDP } from '#test/support/tunnel-packets.ts'

const connection = (own: string, hub: string, port: number): Connection => ({
  own: addressOctets(own),
  hub: addressOctets(hub),
  port,
})

const CONNECTIONS = [
  connection('10.98.0.1', '10.98.0.2', 2222),
  connection('fd00::1', 'fd00::2', 2222),
  connection('10.98.0.1', '10.98.0.3', 22),
  connection('fd00::1', 'fd00:0:0:1::2', 443),
]
const PROGRAM = packetFilter(CONNECTIONS)
const MATCHER = new ConnectionMatcher()
MATCHER.connections = CONNECTIONS

const TO_US = 0
const TO_OTHERS = 3

/** Whether program and matcher keep the frame out, which they agree on. */
function isKeptOut(frame: Uint8Array): boolean {
  const dropped = !runBpf(PROGRAM, frame, TO_OTHERS)
  const around = Buffer.concat([Buffer.alloc(7, 0xff), frame, Buffer.alloc(70, 0x06)])
  const hex = Buffer.from(frame).toString('hex')
  expect([hex, MATCHER.matches(around, 7, 7 + frame.length)]).toEqual([hex, dropped])
  return dropped
}

const C: readonly [number, number] = [0x8100, 10]
const S: readonly [number, number] = [0x88a8, 0xe064]
const OLD: readonly [number, number] = [0x9100, 100]
const TAGS = {
  untagged: [],
  tagged: [C],
  'with a service tag': [S],
  'with two tags': [S, C],
  'with two old tags': [OLD, [0x9200, 7] as const],
  'with four tags': [S, S, C, C],
}
const FAMILIES = {
  IPv4: { own: '10.98.0.1', hub: '10.98.0.2', stranger: '10.98.0.7' },
  IPv6: { own: 'fd00::1', hub: 'fd00::2', stranger: 'fd00::1:0:0:2' },
}

describe.each(Object.entries(FAMILIES))('over %s', (_family, { own, hub, stranger }) => {
  const toHub: PacketFields = { from: own, fromPort: 40_000, to: hub, toPort: 2222 }
  const fromHub: PacketFields = { from: hub, fromPort: 2222, to: own, toPort: 40_000 }

  it.each(Object.entries(TAGS))(
    'keeps out the connection, %s, both ways, whole and in fragments',
    (_name, tags) => {
      for (const way of [toHub, fromHub])
        for (const more of [{}, { fragment: 0 }, { fragment: 185 }])
          expect([way, more, isKeptOut(packet({ ...way, ...more, tags }))]).toEqual([way, more, true])
    },
  )

  it.each(Object.entries(TAGS))('lets everything else pass, %s', (_name, tags) => {
    const others: PacketFields[] = [
      { ...toHub, toPort: 2223 },
      { ...toHub, fromPort: 2222, toPort: 40_000 },
      { ...fromHub, fromPort: 22 },
      { ...fromHub, fromPort: 40_000, toPort: 2222 },
      { ...toHub, to: stranger },
      { ...toHub, from: stranger },
      { ...fromHub, from: stranger },
      { ...fromHub, to: stranger },
      { ...fromHub, from: own },
      { ...toHub, to: stranger, fragment: 0 },
      { ...toHub, protocol: UDP },
      { ...toHub, protocol: 1 },
    ]
    for (const fields of others)
      expect([fields, isKeptOut(packet({ ...fields, tags }))]).toEqual([fields, false])
  })

  it('lets pass what is cut short before its ports, and what has another type', () => {
    for (const tags of Object.values(TAGS))
      for (const fields of [toHub, fromHub]) {
        const whole = packet({ ...fields, tags })
        const ports = whole.length - 20
        for (let length = 14; length < whole.length; length++)
          expect([length, isKeptOut(whole.subarray(0, length))]).toEqual([length, length >= ports + 4])
        const another = Buffer.from(whole)
        another.writeUInt16BE(0x0806, 12 + tags.length * 4)
        expect(isKeptOut(another)).toBe(false)
      }
  })
})

describe('packetFilter', () => {
  const toHub: PacketFields = { from: '10.98.0.1', fromPort: 40_000, to: '10.98.0.2', toPort: 2222 }
  const overIpv6: PacketFields = { from: 'fd00::1', fromPort: 40_000, to: 'fd00::2', toPort: 2222 }

  it('finds the ports behind IPv4 options', () => {
    for (const options of [1, 5, 10]) {
      expect(isKeptOut(packet({ ...toHub, options }))).toBe(true)
      expect(isKeptOut(packet({ ...toHub, toPort: 80, options }))).toBe(false)
      expect(isKeptOut(packet({ ...toHub, options }).subarray(0, 14 + 20 + options * 4 + 3))).toBe(false)
      expect(isKeptOut(packet({ ...toHub, options, fragment: 0 }).subarray(0, 14 + 23))).toBe(false)
    }
  })

  it('keeps out what has an IPv6 extension header between the two hosts, and no other protocol', () => {
    for (const extension of [0, 43, 44, 60]) {
      expect(isKeptOut(packet({ ...overIpv6, extension }))).toBe(true)
      expect(isKeptOut(packet({ ...overIpv6, to: 'fd00::3', extension }))).toBe(false)
    }
    for (const extension of [50, 51, 58, 59])
      expect(isKeptOut(packet({ ...overIpv6, extension }))).toBe(false)
  })

  it('lets other versions and bad header lengths pass', () => {
    for (const first of [0x44, 0x40, 0x35, 0x55, 0x65, 0xf5]) {
      const frame = packet(toHub)
      frame[14] = first
      expect([first, isKeptOut(frame)]).toEqual([first, false])
    }
    for (const first of [0x45, 0x50, 0x70]) {
      const frame = packet(overIpv6)
      frame[14] = first
      expect([first, isKeptOut(frame)]).toEqual([first, false])
    }
  })

  it('lets an inner packet behind a fifth tag pass', () => {
    expect(isKeptOut(packet({ ...toHub, tags: [S, S, C, C, C] }))).toBe(false)
  })

  it('keeps out every connection of the list, each with its own port', () => {
    expect(isKeptOut(packet({ ...toHub, to: '10.98.0.3', toPort: 22 }))).toBe(true)
    expect(isKeptOut(packet({ ...toHub, to: '10.98.0.3', toPort: 2222 }))).toBe(false)
    expect(isKeptOut(packet({ ...overIpv6, to: 'fd00:0:0:1::2', toPort: 443 }))).toBe(true)
    expect(isKeptOut(packet({ ...overIpv6, to: 'fd00:0:0:1::2', toPort: 2222 }))).toBe(false)
  })

  it('keeps out every frame to the machine itself, and without connections no other', () => {
    const program = packetFilter([])
    const arp = Buffer.from('0200000000010200000000020806', 'hex')
    for (const frame of [packet(toHub), packet(overIpv6), arp]) {
      expect(runBpf(program, frame, TO_US)).toBe(false)
      for (const packetType of [1, 2, 3]) expect(runBpf(program, frame, packetType)).toBe(true)
    }
  })

  it('agrees with the matcher about any frame', () => {
    const address = fc.constantFrom('10.98.0.1', '10.98.0.2', '10.98.0.3')
    const address6 = fc.constantFrom('fd00::1', 'fd00::2', 'fd00:0:0:1::2')
    const port = fc.constantFrom(2222, 22, 443, 40_000)
    const common = {
      fromPort: port,
      toPort: port,
      tags: fc.array(fc.constantFrom(C, S, OLD), { maxLength: 5 }),
      protocol: fc.constantFrom(TCP, TCP, UDP, 0, 44),
      fragment: fc.option(fc.nat(8191), { nil: undefined }),
      options: fc.nat(10),
      extension: fc.constantFrom(undefined, undefined, 0, 43, 44, 51, 60),
    }
    const fields = fc.oneof(
      fc.record({ ...common, from: address, to: address }),
      fc.record({ ...common, from: address6, to: address6 }),
    )
    const change = fc.tuple(fc.nat(70), fc.nat(255))
    fc.assert(
      fc.property(fields, fc.array(change, { maxLength: 2 }), fc.nat(120), (given, changes, cut) => {
        const { fragment, extension, ...rest } = given
        const whole = packet({
          ...rest,
          ...(fragment === undefined ? {} : { fragment }),
          ...(extension === undefined ? {} : { extension }),
        })
        for (const [at, value] of changes) whole[at % whole.length] = value
        isKeptOut(whole.subarray(0, Math.max(14, whole.length - (cut > 60 ? 0 : cut))))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('ConnectionMatcher', () => {
  it('allocates nothing', () => {
    const frame = packet({ from: 'fd00::1', fromPort: 1, to: 'fd00::2', toPort: 2222, tags: [S, C] })
    expect(bytesPerCall(() => MATCHER.matches(frame, 0, frame.length))).toBeLessThan(1)
  })
})
