import { expect, it } from 'vitest'
import type { Lease } from '#hub/device/host/lease.ts'
import { resolverText } from '#hub/device/host/resolver.ts'

const lease = (nameservers: string[], domain: string): Lease => ({
  address: 1,
  length: 24,
  routes: [],
  nameservers,
  domain,
  seconds: 1,
  renewSeconds: 1,
  rebindSeconds: 1,
})

it('names what is configured first, no more than three', () => {
  expect(resolverText([], [])).toBe('')
  expect(
    resolverText(
      ['192.0.2.53', '2001:db8::53'],
      [lease(['192.0.2.53', '192.0.2.1'], 'lab.example'), lease(['192.0.2.2'], 'lab.example')],
    ),
  ).toBe('search lab.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver 192.0.2.1\n')
})
