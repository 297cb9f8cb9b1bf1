import { describe, expect, it } from 'vitest'
import { linkIndex } from '#net/port/nic/link.ts'
import { linksOf, routeTo, routedLinks } from '#net/port/nic/route.ts'
import { attribute } from '#net/port/nic/rtnetlink.ts'
import { addressOctets } from '#net/wire/ip-address.ts'

const UNICAST = 1
const LOCAL = 2
const CLONED = 2

/** An answer to RTM_GETROUTE; `flag` is in the second octet of the flags. */
function route(
  kind: number,
  to: string,
  flag: number,
  ...more: Uint8Array[]
): { type: number; body: Uint8Array } {
  const header = Uint8Array.of(2, 32, 0, 0, 254, 0, 0, kind, 0, flag, 0, 0)
  return { type: 24, body: Buffer.concat([header, attribute(1, addressOctets(to)), ...more]) }
}
const out = (index: number): Uint8Array => attribute(4, Uint8Array.of(index, 0, 0, 0))
const hop = (index: number): Uint8Array =>
  Uint8Array.of(16, 0, 0, 0, index, 0, 0, 0, 8, 0, 5, 0, 192, 0, 2, 1)

describe('linksOf', () => {
  it('tells the interface, and each of several ways', () => {
    expect(linksOf(route(UNICAST, '10.0.0.0', 0, out(3)))).toEqual([3])
    expect(linksOf(route(UNICAST, '2001:db8::', 0, attribute(9, Buffer.concat([hop(4), hop(5)]))))).toEqual([
      4, 5,
    ])
  })

  it('leaves out what every interface has, what is for this machine, and what the kernel only remembers', () => {
    expect(linksOf(route(UNICAST, 'fe80::', 0, out(3)))).toEqual([])
    expect(linksOf(route(UNICAST, 'ff00::', 0, out(3)))).toEqual([])
    expect(linksOf(route(LOCAL, '10.0.0.1', 0, out(3)))).toEqual([])
    expect(linksOf(route(UNICAST, '10.0.0.1', CLONED, out(3)))).toEqual([])
  })

  it('comes to an end with anything', () => {
    const { type, body } = route(UNICAST, '10.0.0.0', 0, attribute(9, Buffer.concat([hop(4), hop(5)])))
    for (let i = 0; i < body.length; i++)
      for (const value of [0, 1, 0x7f, 0xff]) {
        const spoilt = Buffer.from(body)
        spoilt[i] = value
        expect(linksOf({ type, body: spoilt.subarray(0, body.length - (i % 5)) }).length).toBeLessThan(4)
      }
  })
})

describe('routeTo', () => {
  it('knows the way to this machine itself, in both families, and from where there is none', () => {
    const lo = linkIndex('lo')
    const to = addressOctets('127.0.0.1')
    expect([routeTo({ to }), routeTo({ to, from: addressOctets('127.0.0.7'), mark: 5 })]).toEqual([lo, lo])
    expect(routeTo({ to, from: addressOctets('192.0.2.200') })).toBe(0)
    expect(routeTo({ to: addressOctets('::ffff') })).not.toBe(lo)
  })
})

it('lists interfaces of the routing tables', () => {
  for (const index of routedLinks()) expect(index).toBeGreaterThan(0)
})
