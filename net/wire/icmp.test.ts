import { describe, expect, it } from 'vitest'
import { pseudoHeaderSum } from '#net/wire/checksum.ts'
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER_LEN,
  IcmpHeader,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  putEcho,
} from '#net/wire/icmp.ts'
import { IPV6_DESTINATION, IPV6_SOURCE, putIpv6 } from '#net/wire/ipv6.ts'
import { PROTOCOL_ICMPV6 } from '#net/wire/ipv4.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const address = (last: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? last : 0))

describe('putEcho', () => {
  it('writes what IcmpHeader reads', () => {
    const b = Uint8Array.from(Buffer.from('0000000000000000616263', 'hex'))
    putEcho(b, 0, b.length, ICMP_ECHO_REQUEST, 0x1234, 5, 0)
    // 0800 + 1234 + 0005 + 6162 + 6300 = de9b
    expect(Buffer.from(b).toString('hex')).toBe('0800216412340005616263')
    const h = new IcmpHeader()
    expect(h.decode(b, 0, b.length)).toBe(true)
    expect(h).toEqual({ type: ICMP_ECHO_REQUEST, code: 0, identifier: 0x1234, sequence: 5 })
    for (let end = 0; end < ICMP_HEADER_LEN; end++) expect(h.decode(b, 0, end)).toBe(false)
    putEcho(b, 0, b.length, ICMP_ECHO_REPLY, 0x1234, 5, 0)
    expect(Buffer.from(b).toString('hex', 0, 4)).toBe('00002964')
  })
  it('covers the pseudo-header of ICMPv6', () => {
    const b = new Uint8Array(48)
    const at = putIpv6(b, 0, 8, PROTOCOL_ICMPV6, address(1), address(2))
    const pseudo = pseudoHeaderSum(b, IPV6_SOURCE, IPV6_DESTINATION, 16, PROTOCOL_ICMPV6) + 8
    putEcho(b, at, b.length, ICMPV6_ECHO_REQUEST, 1, 1, pseudo)
    // 0001 + 0002 + 003a + 0008 + 8000 + 0001 + 0001 = 8047
    expect(Buffer.from(b).toString('hex', at)).toBe('80007fb800010001')
    putEcho(b, at, b.length, ICMPV6_ECHO_REPLY, 1, 1, pseudo)
    expect(Buffer.from(b).toString('hex', at)).toBe('81007eb800010001')
  })
  it('allocates nothing', () => {
    const b = new Uint8Array(64)
    const h = new IcmpHeader()
    const each = bytesPerCall(() => {
      putEcho(b, 0, 64, ICMP_ECHO_REQUEST, 1, 1, 0)
      h.decode(b, 0, 64)
    })
    expect(each).toBeLessThan(8)
  })
})
