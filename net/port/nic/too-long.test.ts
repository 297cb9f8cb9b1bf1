import { expect, it } from 'vitest'
import { TooLong, tooLongWarning } from '#net/port/nic/too-long.ts'

it('tells of the longest frame at once, then once an hour', () => {
  const tooLong = new TooLong()
  expect(tooLong.take(0)).toBe(0)
  for (const octets of [1515, 4014, 2000]) tooLong.note(octets)
  expect(tooLong.take(1)).toBe(4014)
  tooLong.note(9014)
  expect(tooLong.take(3_600_000)).toBe(0)
  expect(tooLong.take(3_600_001)).toBe(9014)
  expect(tooLong.take(9e9)).toBe(0)
})

it('names interface, sizes and remedies', () => {
  const text = tooLongWarning('eth1', 1500, 4014)
  for (const part of ['eth1', '4014', '1500', '1514', '--mtu', 'switch', '4000']) expect(text).toContain(part)
})
