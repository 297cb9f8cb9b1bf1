import { expect, it } from 'vitest'
import { LeastTime } from '#net/tunnel/least-time.ts'

const MINUTE_MS = 60_000

it('is the least of the last minutes', () => {
  const least = new LeastTime()
  expect(least.add(80, 0)).toBe(80)
  expect(least.add(50, 1)).toBe(50)
  expect(least.add(90, 4 * MINUTE_MS)).toBe(50)
  expect(least.add(90, 6 * MINUTE_MS)).toBe(50)
  expect(least.add(95, 12 * MINUTE_MS)).toBe(90)
})
