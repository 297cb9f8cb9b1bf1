import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { Backoff, seededRandom } from '#agent/link/backoff.ts'

const pauses = (backoff: Backoff, count: number, now = 0): number[] =>
  Array.from({ length: count }, () => backoff.next(now))

describe('Backoff', () => {
  it('doubles from 0.2 to 3 s, and to 30 s when the link has been down for 10 minutes', () => {
    const backoff = new Backoff(() => 0, 0)
    expect(pauses(backoff, 7)).toEqual([200, 400, 800, 1600, 3000, 3000, 3000])
    expect(backoff.next(599_999)).toBe(3000)
    expect(pauses(backoff, 2, 600_000)).toEqual([30_000, 30_000])
  })

  it('starts again after a link that worked', () => {
    const backoff = new Backoff(() => 0, 0)
    pauses(backoff, 9, 900_000)
    backoff.worked(1_000_000)
    expect(pauses(backoff, 2, 1_000_000)).toEqual([200, 400])
  })

  it('starts again when there is hope, but stays patient', () => {
    const backoff = new Backoff(() => 0, 0)
    pauses(backoff, 9, 600_000)
    backoff.hurry()
    expect(pauses(backoff, 10, 600_000).slice(-2)).toEqual([30_000, 30_000])
    backoff.hurry()
    expect(pauses(backoff, 2, 600_000)).toEqual([200, 400])
  })

  it('spreads agents, within the bounds, and repeats itself with the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 2_000_000 }), (seed, now) => {
        const list = pauses(new Backoff(seededRandom(seed), 0), 30, now)
        expect(list).toEqual(pauses(new Backoff(seededRandom(seed), 0), 30, now))
        for (const pause of list) {
          expect(pause).toBeGreaterThanOrEqual(200)
          expect(pause).toBeLessThanOrEqual(now < 600_000 ? 3_000 : 30_000)
        }
        expect(new Set(list).size).toBeGreaterThan(15)
      }),
    )
  })
})
