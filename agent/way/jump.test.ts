import { expect, it } from 'vitest'

import { parseJumps } from '#agent/way/jump.ts'

it('reads jump hosts as ssh does', () => {
  expect(parseJumps('gate')).toEqual([{ user: undefined, host: 'gate', port: undefined }])
  expect(parseJumps('ann@gate:22, [fd00::1]:2022,ssh://bob@inner:23')).toEqual([
    { user: 'ann', host: 'gate', port: 22 },
    { user: undefined, host: 'fd00::1', port: 2022 },
    { user: 'bob', host: 'inner', port: 23 },
  ])
  expect(parseJumps('ann@site@gate')).toMatchObject([{ user: 'ann@site', host: 'gate' }])
  expect(parseJumps('none')).toEqual([])
})

it.each([
  '',
  'a,,b',
  '@gate',
  'ann@',
  'ann@gate:0',
  'a b@gate',
  '-oProxyCommand=x',
  'a:b:c',
  `${'a,'.repeat(8)}a`,
])('refuses %j', (text) => {
  expect(() => parseJumps(text)).toThrow(/jump host/)
})
