import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { linkIndex } from '#net/port/nic/link.ts'
import { addressesIn, isIpv6, linkAddresses } from '#net/port/nic/link-addresses.ts'

/** An answer of a kernel to RTM_GETADDR: family, prefix length, flags, scope, index, attributes. */
const answer = (hex: string): { type: number; body: Uint8Array } => ({
  type: 20,
  body: Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'),
})
const V4 = answer('02 18 80 00 03000000  0800 0100 c0000201  0800 0200 c0000201')
/** On a link to one peer: 1 is the peer's address, 2 our own. */
const PEER = answer('02 20 80 00 03000000  0800 0100 0a000002  0800 0200 0a000001')
const V6 = answer('0a 40 80 00 03000000  1400 0100 20010db8000000000000000000000001')
const LINK_LOCAL = answer('0a 40 80 fd 03000000  1400 0100 fe800000000000000000000000000001')

describe('addressesIn', () => {
  it('finds our own addresses on the interface, without link-local ones', () => {
    expect(addressesIn([V4, PEER, V6, LINK_LOCAL], 3)).toEqual([
      '192.0.2.1/24',
      '10.0.0.1/32',
      '2001:db8::1/64',
    ])
    expect(addressesIn([V4, V6], 4)).toEqual([])
  })

  it('takes answers that are cut short', () => {
    for (const { type, body } of [V4, PEER, V6])
      for (let length = 0; length < body.length; length++)
        expect(addressesIn([{ type, body: body.subarray(0, length) }], 3).length).toBeLessThan(2)
  })
})

describe('linkAddresses', () => {
  it('agrees with the runtime about the loopback', () => {
    const own = (networkInterfaces()['lo'] ?? []).map(({ cidr }) => cidr)
    expect(linkAddresses(linkIndex('lo'))).toEqual(own)
    expect(linkAddresses(linkIndex('lo')).map(isIpv6)).toEqual(own.map((cidr) => cidr?.includes(':')))
  })
})
