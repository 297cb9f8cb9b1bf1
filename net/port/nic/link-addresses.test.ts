import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { linkIndex } from '#net/port/nic/link.ts'
import { isIpv6, linkAddresses, readMessages } from '#net/port/nic/link-addresses.ts'

const octets = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
// Answers of a kernel to RTM_GETADDR: header, family, prefix length, flags, scope, index, attributes.
const V4 = octets(`28000000 1400 0200 01000000 00000000 02 18 80 00 03000000
  0800 0100 c0000201  0800 0200 c0000201`)
/** On a link to one peer: 1 is the peer's address, 2 our own. */
const PEER = octets(`28000000 1400 0200 01000000 00000000 02 20 80 00 03000000
  0800 0100 0a000002  0800 0200 0a000001`)
const V6 = octets(`2c000000 1400 0200 01000000 00000000 0a 40 80 00 03000000
  1400 0100 20010db8000000000000000000000001`)
const LINK_LOCAL = octets(`2c000000 1400 0200 01000000 00000000 0a 40 80 fd 03000000
  1400 0100 fe800000000000000000000000000001`)
const DONE = octets('14000000 0300 0200 01000000 00000000 00000000')

const read = (parts: Uint8Array[], index = 3): { more: boolean; found: string[] } => {
  const found: string[] = []
  return { more: readMessages(Buffer.concat(parts), index, found), found }
}

describe('readMessages', () => {
  it('finds our own addresses on the interface, without link-local ones', () => {
    expect(read([V4, PEER, V6, LINK_LOCAL])).toEqual({
      more: true,
      found: ['192.0.2.1/24', '10.0.0.1/32', '2001:db8::1/64'],
    })
    expect(read([V4, V6], 4)).toEqual({ more: true, found: [] })
  })

  it('knows the end', () => {
    expect(read([V4, DONE, V6])).toEqual({ more: false, found: ['192.0.2.1/24'] })
  })

  it('comes to an end with anything', () => {
    const whole = Buffer.concat([V4, V6, DONE])
    for (let length = 0; length < whole.length; length++) read([whole.subarray(0, length)])
    for (let i = 0; i < whole.length; i++)
      for (const value of [0, 1, 0x7f, 0xff]) {
        const spoilt = Buffer.from(whole)
        spoilt[i] = value
        expect(read([spoilt]).found.length).toBeLessThan(4)
      }
  })
})

describe('linkAddresses', () => {
  it('agrees with the runtime about the loopback', () => {
    const own = (networkInterfaces()['lo'] ?? []).map(({ cidr }) => cidr)
    expect(linkAddresses(linkIndex('lo'))).toEqual(own)
    expect(linkAddresses(linkIndex('lo')).map(isIpv6)).toEqual(own.map((cidr) => cidr?.includes(':')))
  })
})
