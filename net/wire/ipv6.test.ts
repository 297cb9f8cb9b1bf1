import { describe, expect, it } from 'vitest'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '#net/wire/ipv4.ts'
import {
  EXTENSION_DESTINATION,
  EXTENSION_FRAGMENT,
  EXTENSION_HOP_BY_HOP,
  EXTENSION_ROUTING,
  IPV6_HEADER_LEN,
  Ipv6Header,
  MAX_EXTENSIONS,
  putIpv6,
} from '#net/wire/ipv6.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const SOURCE = octets('20010db8 00000000 00000000 00000001')
const DESTINATION = octets('20010db8 00000000 00000000 00000002')

/** A header followed by `rest` in hex. */
function packet(nextHeader: number, rest = ''): Uint8Array {
  const more = octets(rest)
  const b = new Uint8Array(IPV6_HEADER_LEN + more.length)
  b.set(more, putIpv6(b, 0, more.length, nextHeader, SOURCE, DESTINATION))
  return b
}
const HOP_BY_HOP = '3c 00 01 04 00000000'
const OPTIONS = '06 01 01 0c 00000000 00000000 00000000'

describe('Ipv6Header.decode', () => {
  it('reads what putIpv6 writes', () => {
    const b = packet(PROTOCOL_UDP)
    expect(Buffer.from(b).toString('hex')).toBe(
      '600000000000114020010db800000000000000000000000120010db8000000000000000000000002',
    )
    const h = new Ipv6Header()
    expect(h.decode(b, 0, b.length)).toBe(true)
    expect(h).toMatchObject({ payloadLength: 0, isFragment: false, protocol: PROTOCOL_UDP, payload: 40 })
    expect(h.finalDestination).toBe(24)
  })
  it('walks hop-by-hop and destination options, and refuses every truncation', () => {
    const b = packet(EXTENSION_HOP_BY_HOP, HOP_BY_HOP + OPTIONS)
    const h = new Ipv6Header()
    expect(h.decode(b, 0, b.length)).toBe(true)
    expect(h).toMatchObject({ payloadLength: 24, protocol: PROTOCOL_TCP, payload: 64 })
    for (let end = 0; end < 64; end++) expect(h.decode(b, 0, end), `end ${end}`).toBe(false)
  })
  it('knows fragments, and that an atomic one is whole (RFC 6946)', () => {
    const h = new Ipv6Header()
    const cases = [['0001', true] as const, ['0008', true] as const, ['0000', false] as const]
    for (const [field, isFragment] of cases) {
      // The reserved octet after "next header" is no length.
      const b = packet(EXTENSION_FRAGMENT, `11 ff ${field} 00000007`)
      expect(h.decode(b, 0, b.length)).toBe(true)
      expect([h.isFragment, h.protocol, h.payload]).toEqual([isFragment, PROTOCOL_UDP, 48])
    }
  })
  it('finds the final destination in a routing header under way', () => {
    const h = new Ipv6Header()
    const addresses = '00'.repeat(16) + '11'.repeat(16)
    const final = (type: string, left: string): number => {
      const b = packet(EXTENSION_ROUTING, `06 04 ${type} ${left} 00000000 ${addresses}`)
      expect(h.decode(b, 0, b.length) && h.payload).toBe(80)
      return h.finalDestination
    }
    expect(final('00', '01')).toBe(64)
    expect(final('04', '01')).toBe(48)
    expect(final('00', '00')).toBe(24)
  })
  it('refuses another version and endless extension headers', () => {
    const h = new Ipv6Header()
    const another = packet(PROTOCOL_TCP)
    another[0] = 0x45
    expect(h.decode(another, 0, another.length)).toBe(false)
    const chain = (length: number): Uint8Array =>
      packet(EXTENSION_DESTINATION, '3c00010400000000'.repeat(length - 1) + '1100010400000000')
    const most = chain(MAX_EXTENSIONS)
    expect(h.decode(most, 0, most.length)).toBe(true)
    const long = chain(MAX_EXTENSIONS + 1)
    expect(h.decode(long, 0, long.length)).toBe(false)
  })
  it('allocates nothing', () => {
    const h = new Ipv6Header()
    const b = packet(EXTENSION_HOP_BY_HOP, HOP_BY_HOP + OPTIONS)
    expect(bytesPerCall(() => void h.decode(b, 0, b.length))).toBeLessThan(8)
  })
})
