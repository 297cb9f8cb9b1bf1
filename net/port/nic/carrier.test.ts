import { describe, expect, it } from 'vitest'

import { ownersOf, plainAddress, withLowers } from '#net/port/nic/carrier.ts'

describe('ownersOf', () => {
  const interfaces = {
    lo: [{ address: '127.0.0.1' }],
    br0: [{ address: '10.0.0.1' }, { address: '::1' }],
    down: undefined,
  }
  it('finds the interface by its address, v4 in v6 too, or by its zone', () => {
    expect(ownersOf('::ffff:10.0.0.1', interfaces)).toEqual(['br0'])
    expect(ownersOf('fe80::1%eth0', interfaces)).toEqual(['eth0'])
    expect(ownersOf('10.0.0.2', interfaces)).toEqual([])
  })
})

describe('withLowers', () => {
  it('goes down through bridges, bonds and VLANs, and ends in circles', () => {
    const lowers: Record<string, string[]> = {
      br0: ['bond0', 'tap0'],
      bond0: ['eth0', 'eth1'],
      eth0: ['br0'],
    }
    expect([...withLowers(['br0'], (name) => lowers[name] ?? [])].sort()).toEqual([
      'bond0',
      'br0',
      'eth0',
      'eth1',
      'tap0',
    ])
  })
})

it('knows an IPv4 address in IPv6 clothes', () => {
  expect([plainAddress('::ffff:10.0.0.1'), plainAddress('::ffff:a')]).toEqual(['10.0.0.1', '::ffff:a'])
})
