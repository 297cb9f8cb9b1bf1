import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackOff } from '#hub/accounts/back-off.ts'

const limits = { free: 2, baseMs: 1000, maxMs: 8000, forgetMs: 60_000, maxKeys: 100 }

describe('BackOff', () => {
  it('doubles the wait after the free failures, up to its limit', () => {
    const backOff = new BackOff(limits)
    const waits: number[] = []
    for (let now = 0; waits.length < 8; now += 8000) {
      backOff.fail('a', now)
      waits.push(backOff.wait('a', now))
      if (waits.length === 7) break
    }
    expect(waits).toEqual([0, 0, 1000, 2000, 4000, 8000, 8000])
    expect(backOff.wait('b', 0)).toBe(0)
  })

  it('forgets a failure every minute', () => {
    const backOff = new BackOff(limits)
    for (let i = 0; i < 4; i++) backOff.fail('a', 0)
    expect(backOff.wait('a', 1999)).toBe(1)
    expect(backOff.wait('a', 2000)).toBe(0)
    backOff.fail('a', 120_000)
    expect(backOff.wait('a', 120_000)).toBe(1000)
  })

  it('counts attempts under way at the same time, and takes back those that succeed', () => {
    const backOff = new BackOff(limits)
    for (let i = 0; i < 3; i++) backOff.fail('a', 0)
    expect(backOff.wait('a', 0)).toBe(1000)
    backOff.forgive('a')
    expect(backOff.wait('a', 0)).toBe(0)
    backOff.forgive('a')
    backOff.forgive('a')
    expect(backOff.size).toBe(0)
  })

  it('remembers a bounded number of keys and never waits longer than it says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(300), fc.nat(100_000), fc.boolean()), { maxLength: 500 }),
        (events) => {
          const backOff = new BackOff(limits)
          let now = 0
          for (const [key, later, succeeds] of events) {
            now += later
            backOff.fail(String(key), now)
            if (succeeds) backOff.forgive(String(key))
            expect(backOff.wait(String(key), now)).toBeLessThanOrEqual(limits.maxMs)
            expect(backOff.size).toBeLessThanOrEqual(limits.maxKeys)
          }
        },
      ),
      { numRuns: 50 },
    )
  })
})
