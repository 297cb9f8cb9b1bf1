import { describe, expect, it } from 'vitest'
import { Ipv4Header, PROTOCOL_ICMP, PROTOCOL_UDP, putIpv4 } from '#net/wire/ipv4.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
/** With four octets of options, one payload octet. */
const PACKET = octets('4600 0019 1234 4000 4001 0000 c0000201 c0000202 94040000 ff')

describe('Ipv4Header.decode', () => {
  it('reads a header with options', () => {
    const h = new Ipv4Header()
    expect(h.decode(PACKET, 0, PACKET.length)).toBe(true)
    expect(h).toMatchObject({ totalLength: 25, identification: 0x1234, protocol: PROTOCOL_ICMP, payload: 24 })
    expect(h.isFragment).toBe(false)
  })
  it('knows fragments: the first, the last, not "do not fragment"', () => {
    const h = new Ipv4Header()
    const cases = [
      ['2000', true] as const,
      ['0001', true] as const,
      ['1fff', true] as const,
      ['4000', false] as const,
    ]
    for (const [field, isFragment] of cases) {
      const b = PACKET.slice()
      b.set(octets(field), 6)
      expect([field, h.decode(b, 0, b.length), h.isFragment]).toEqual([field, true, isFragment])
    }
  })
  it('refuses every truncation, other versions and a header length below 20', () => {
    const h = new Ipv4Header()
    for (let end = 0; end < 24; end++) expect(h.decode(PACKET, 0, end), `end ${end}`).toBe(false)
    for (const first of [0x44, 0x40, 0x65, 0x55]) {
      const b = PACKET.slice()
      b[0] = first
      expect(h.decode(b, 0, b.length)).toBe(false)
    }
  })
  it('allocates nothing', () => {
    const h = new Ipv4Header()
    expect(bytesPerCall(() => void h.decode(PACKET, 0, PACKET.length))).toBeLessThan(8)
  })
})

it('putIpv4 writes a header with its checksum', () => {
  const b = new Uint8Array(21).fill(0xff)
  expect(putIpv4(b, 1, 0x73, 0, PROTOCOL_UDP, octets('c0a80001'), octets('c0a800c7'))).toBe(21)
  expect(b).toEqual(octets('ff 4500 0073 0000 0000 4011 f861 c0a80001 c0a800c7'))
})
