import { describe, expect, it } from 'vitest'
import { Crowd, type CrowdReading } from '#net/tunnel/crowd.ts'

const LONG: CrowdReading = { isHeld: true, roundTripMs: 80, ownMs: 20, isHeldTo: true, rate: 100 }
const SHORT: CrowdReading = { ...LONG, roundTripMs: 25 }

/** Reads every 20 ms. @returns when it was crowded, as [from, to] of the readings */
function times(
  crowd: Crowd,
  from: number,
  to: number,
  reading: (now: number) => CrowdReading,
): [number, number][] {
  const list: [number, number][] = []
  for (let now = from; now < to; now += 20) {
    const was = crowd.isCrowded
    crowd.read(reading(now), now)
    if (crowd.isCrowded && !was) list.push([now, Infinity])
    const last = list.at(-1)
    if (!crowd.isCrowded && was && last) last[1] = now
  }
  return list
}

describe('Crowd', () => {
  it('is seen after 2 s of long round trips, looked for again at 10 s for 0.5 s, and believed at once then', () => {
    const crowd = new Crowd()
    // TCP gets three times what we got by holding back.
    const reading = (): CrowdReading => ({ ...LONG, rate: crowd.isCrowded ? 300 : 100 })
    expect(times(crowd, 0, 25_000, reading)).toEqual([
      [2000, 10_000],
      [10_520, 20_000],
      [20_520, Infinity],
    ])
  })

  it('is over when they have gone', () => {
    const crowd = new Crowd()
    const reading = (now: number): CrowdReading =>
      now < 9000 ? { ...LONG, rate: crowd.isCrowded ? 300 : 100 } : { ...SHORT, rate: 900 }
    expect(times(crowd, 0, 30_000, reading)).toEqual([[2000, 10_000]])
  })

  it('is none where TCP gets no more than we did: the link is slow; tried once a minute', () => {
    const crowd = new Crowd()
    expect(times(crowd, 0, 120_000, () => LONG)).toEqual([
      [2000, 4000],
      [66_000, 68_000],
    ])
  })

  it.each([
    ['nothing waits', { ...LONG, isHeld: false }],
    ['what is under way is ours', { ...LONG, isHeldTo: false }],
    ['the round trip is what it should be', SHORT],
  ])('is none when %s', (_why, reading) => {
    const crowd = new Crowd()
    expect(times(crowd, 0, 10_000, () => reading)).toEqual([])
    // Nor when it is so now and then.
    expect(times(crowd, 10_000, 30_000, (now) => (now % 1500 < 20 ? reading : LONG))).toEqual([])
  })

  it('ends for tunnels that share a link at the same moment, whenever it began', () => {
    const ends = [0, 1300, 3100].map((start) => {
      const crowd = new Crowd()
      const reading = (): CrowdReading => ({ ...LONG, rate: crowd.isCrowded ? 300 : 100 })
      return times(crowd, start, 10_100, reading)[0]?.[1]
    })
    expect(ends).toEqual([10_000, 10_000, 10_000])
  })
})
