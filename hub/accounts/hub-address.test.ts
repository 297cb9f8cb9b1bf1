import { hostname, networkInterfaces } from 'node:os'
import { expect, it } from 'vitest'
import { hubAddress } from '#hub/accounts/hub-address.ts'

it.each([
  ['192.0.2.7', undefined, '192.0.2.7:2222'],
  ['2001:db8::7', undefined, '[2001:db8::7]:2222'],
  ['0.0.0.0', 'hub.example', 'hub.example:2222'],
  ['0.0.0.0', 'hub.example:22', 'hub.example:22'],
  ['0.0.0.0', '[2001:db8::7]', '[2001:db8::7]:2222'],
  ['0.0.0.0', '[2001:db8::7]:22', '[2001:db8::7]:22'],
])('is of %s and %s %s', async (address, known, wanted) => {
  expect(await hubAddress({ address, port: 2222 }, known)).toBe(wanted)
})

it('is an address or the name of this machine where the hub listens on all of them', async () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? [])
  const told = await hubAddress({ address: '0.0.0.0', port: 2222 }, undefined)
  expect([...own, hostname()]).toContain(told.replace(/:2222$/, ''))
})
