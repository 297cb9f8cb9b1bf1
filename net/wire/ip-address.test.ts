import net from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOctets } from '#net/wire/ip-address.ts'

const hex = (address: string): string => Buffer.from(addressOctets(address)).toString('hex')

/** By Node's own parser: an address is in the /128 of itself, and in no other. */
function same(a: string, b: string): boolean {
  const list = new net.BlockList()
  list.addSubnet(a, 128, 'ipv6')
  return list.check(b, 'ipv6')
}

const full = (octets: Uint8Array): string =>
  (Buffer.from(octets).toString('hex').match(/.{4}/g) ?? []).join(':')

describe('addressOctets', () => {
  it.each([
    ['192.0.2.255', 'c00002ff'],
    ['0.0.0.0', '00000000'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['fd00::1:2', 'fd000000000000000000000000010002'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:255.255.255.255', '000100020003000400050006ffffffff'],
  ])('reads %s', (text, octets) => {
    expect(hex(text)).toBe(octets)
  })

  it('reads every address as Node reads it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        fc.pre(net.isIPv6(text))
        expect(same(full(addressOctets(text)), text)).toBe(true)
      }),
    )
  })

  it('reads what is shortened anywhere', () => {
    const groups = fc.array(fc.constantFrom('0', '1', 'ff', 'abcd'), { minLength: 0, maxLength: 7 })
    fc.assert(
      fc.property(groups, fc.nat(7), (all, where) => {
        const text = `${all.slice(0, where).join(':')}::${all.slice(where).join(':')}`
        fc.pre(net.isIPv6(text))
        expect(same(full(addressOctets(text)), text)).toBe(true)
      }),
    )
  })
})
