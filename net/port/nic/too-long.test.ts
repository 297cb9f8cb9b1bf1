import { expect, it } from 'vitest'
import { TooLong, tooLongWarning } from '#net/port/nic/too-long.ts'

it('is due at once, then once an hour', () => {
  const tooLong = new TooLong()
  expect([0, 1, 3_599_999, 3_600_000, 3_600_001, 9e9].map((now) => tooLong.isDue(now))).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
  ])
})

it('names interface, sizes and remedies', () => {
  const text = tooLongWarning('eth1', 1500, 4014)
  for (const part of ['eth1', '4014', '1500', '1514', '--mtu', 'switch', '4000']) expect(text).toContain(part)
})
