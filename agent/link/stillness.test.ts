import { describe, expect, it } from 'vitest'
import { Stillness } from '#agent/link/stillness.ts'

describe('Stillness', () => {
  it('says nothing of ticks in time, and a little late', () => {
    const stillness = new Stillness(0, 50_000)
    expect(stillness.tick(1000, 51_000)).toBe(0)
    expect(stillness.tick(3900, 53_900)).toBe(0)
    expect(stillness.tick(3901, 53_901)).toBe(0)
  })

  it('knows a process that stood still, and a machine that slept while its monotonic clock did', () => {
    const stillness = new Stillness(0, 0)
    expect(stillness.tick(9000, 9000)).toBe(8000)
    expect(stillness.tick(10_000, 10_000)).toBe(0)
    expect(stillness.tick(11_000, 611_000)).toBe(600_000)
    expect(stillness.tick(12_000, 612_000)).toBe(0)
  })
})
