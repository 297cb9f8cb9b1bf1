import { expect, it } from 'vitest'
import { nearest } from '#agent/nearest.ts'

it.each([
  ['hubb', 'hub'],
  ['Bridge', 'bridge'],
  ['brigde', 'bridge'],
  ['known_hosts', 'known-hosts'],
  ['nics', 'nic'],
  ['password', undefined],
  ['x'.repeat(100_000), undefined],
  ['', undefined],
])('%.20s means %s', (word, known) => {
  expect(nearest(word, ['hub', 'nic', 'bridge', 'known-hosts', 'mtu'])).toBe(known)
})
