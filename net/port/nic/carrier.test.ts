import { describe, expect, it } from 'vitest'

import { carriersAmong, ownersOf, plainAddress, withLowers } from '#net/port/nic/carrier.ts'
import type { Link } from '#net/port/nic/link-table.ts'
import { makeLink } from '#test/support/links.ts'

describe('ownersOf', () => {
  const interfaces = {
    lo: [{ address: '127.0.0.1' }],
    br0: [{ address: '10.0.0.1' }, { address: '::1' }],
    'eth0:vip': [{ address: '10.0.0.9' }],
    down: undefined,
  }
  it('finds the interface by its address, v4 in v6 too, or by its zone', () => {
    expect(ownersOf('::ffff:10.0.0.1', interfaces)).toEqual(['br0'])
    expect(ownersOf('fe80::1%eth0', interfaces)).toEqual(['eth0'])
    expect(ownersOf('10.0.0.2', interfaces)).toEqual([])
  })

  it('knows the interface of an address with a label', () => {
    expect(ownersOf('10.0.0.9', interfaces)).toEqual(['eth0'])
  })
})

const namesOf = (links: readonly Link[]): string[] => links.map(({ name }) => name).sort()

describe('withLowers', () => {
  const links = [
    makeLink('br0', 1, { kind: 'bridge' }),
    makeLink('bond0', 2, { kind: 'bond', master: 1 }),
    makeLink('tap0', 3, { kind: 'tun', master: 1 }),
    makeLink('eth0', 4, { master: 2 }),
    makeLink('eth1', 5, { master: 2 }),
    makeLink('eth1.7', 6, { kind: 'vlan', link: 5 }),
    makeLink('eth5', 7),
  ]
  const below = (name: string): string[] =>
    namesOf(
      withLowers(
        links,
        links.filter((l) => l.name === name),
      ),
    )

  it('goes down through bridges, bonds and VLANs, never up', () => {
    expect(below('br0')).toEqual(['bond0', 'br0', 'eth0', 'eth1', 'tap0'])
    expect(below('eth1.7')).toEqual(['eth1', 'eth1.7'])
    expect(below('eth1')).toEqual(['eth1'])
  })

  it('ends in circles', () => {
    const pair = [makeLink('v0', 1, { kind: 'veth', link: 2 }), makeLink('v1', 2, { kind: 'veth', link: 1 })]
    expect(namesOf(withLowers(pair, pair.slice(0, 1)))).toEqual(['v0', 'v1'])
  })

  it('does not take the number of an interface of another network namespace for one of this', () => {
    const across = [makeLink('eth0', 1, { kind: 'macvlan', link: 2, isAcross: true }), makeLink('eth1', 2)]
    expect(namesOf(withLowers(across, across.slice(0, 1)))).toEqual(['eth0'])
  })
})

const opaque = (...links: Link[]): string[] => namesOf(carriersAmong(links, links.slice(0, 1)).opaque)

describe('carriersAmong', () => {
  it.each(['wireguard', 'tun', 'ppp', 'gre', 'sit', 'vti', 'xfrm', 'vxlan'])('finds %s opaque', (kind) => {
    expect(opaque(makeLink('vpn0', 1, { kind }))).toEqual(['vpn0'])
  })

  it('finds opaque what is below', () => {
    const links = [makeLink('br0', 1, { kind: 'bridge' }), makeLink('tap0', 2, { kind: 'tun', master: 1 })]
    expect(opaque(...links)).toEqual(['tap0'])
  })

  it.each([
    ['hardware', makeLink('eth0', 1)],
    ['a veth', makeLink('v0', 1, { kind: 'veth', link: 5, isAcross: true })],
    [
      'a macvlan whose parent is in another namespace',
      makeLink('eth0', 1, { kind: 'macvlan', link: 5, isAcross: true }),
    ],
    ['an empty bridge', makeLink('br0', 1, { kind: 'bridge' })],
    ['a modem', makeLink('wwan0', 1, { kind: 'wwan', isHardware: true })],
  ])('does not find %s opaque', (_, link) => {
    expect(opaque(link)).toEqual([])
  })

  it('does not find a tunnel opaque that is bound to its interface', () => {
    const links = [makeLink('gre0', 1, { kind: 'gre', link: 2 }), makeLink('eth0', 2)]
    expect(opaque(...links)).toEqual([])
    expect(carriersAmong(links, links.slice(0, 1)).certain).toEqual(new Set(['gre0', 'eth0']))
  })
})

it('knows an IPv4 address in IPv6 clothes', () => {
  expect([plainAddress('::ffff:10.0.0.1'), plainAddress('::ffff:a')]).toEqual(['10.0.0.1', '::ffff:a'])
})
