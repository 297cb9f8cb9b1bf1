import { describe, expect, it } from 'vitest'
import {
  freeManagementNetwork,
  managementAddress,
  parseManagementNetwork,
} from '#hub/base/management-network.ts'

describe('management networks', () => {
  it.each(['10.255.0.0/16', '10.0.0.0/8', '192.168.7.0/24', '172.16.0.0/12'])('%s is one', (text) => {
    expect(parseManagementNetwork(text)).toBe(text)
  })
  it.each(['10.255.0.0', '10.255.0.1/16', '10.255.0.0/25', '0.0.0.0/0', 'fd00::/16', '10.255.0/16', ''])(
    '%s is none',
    (text) => {
      expect(() => parseManagementNetwork(text)).toThrow(`"${text}" is no network for topologies`)
    },
  )
  it('are given out one by one', () => {
    const taken = new Set<string | null>([null])
    const given = Array.from({ length: 5 }, () => {
      const one = freeManagementNetwork('10.255.252.0/22', taken)
      taken.add(one ?? null)
      return one
    })
    expect(given).toEqual([
      '10.255.252.0/24',
      '10.255.253.0/24',
      '10.255.254.0/24',
      '10.255.255.0/24',
      undefined,
    ])
    expect([managementAddress('10.255.253.0/24', 0), managementAddress('10.255.253.0/24', 239)]).toEqual([
      '10.255.253.11',
      '10.255.253.250',
    ])
  })
})
