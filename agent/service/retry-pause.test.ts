import { expect, it } from 'vitest'
import { retryPauseMs } from '#agent/service/retry-pause.ts'

it('doubles from half a minute to five, less up to a quarter', () => {
  expect([1, 2, 3, 4, 5, 1e6].map((n) => retryPauseMs(n, 0) / 1000)).toEqual([30, 60, 120, 240, 300, 300])
  expect(retryPauseMs(1, 0.999)).toBeGreaterThan(22_500)
  expect(retryPauseMs(9, 0.5)).toBe(262_500)
})
