import { describe, expect, it } from 'vitest'
import { FIRST_WINDOW, MOST_WINDOW, ReceiveWindow, WindowBudget } from '#net/tunnel/receive-window.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const ROUND_TRIP_MS = 100
const CHUNK = 32 << 10
const wide = (): ReceiveWindow => new ReceiveWindow(new WindowBudget(Infinity))

/** A sender that has as much to send as the window lets, on a path of `rate` octets a millisecond. @returns the rate */
function run(window: ReceiveWindow, rate: number, ms: number, roundTripMs = ROUND_TRIP_MS, from = 0): number {
  let octets = 0
  let read = 0
  for (let now = from; now < from + ms; now++) {
    octets += Math.min(rate, window.size / roundTripMs)
    for (; read + CHUNK <= octets; read += CHUNK) window.read(CHUNK, now, roundTripMs)
  }
  return octets / ms
}

describe('ReceiveWindow', () => {
  it('opens until the path is the limit, in a few round trips, and leaves room to try for more', () => {
    const window = wide()
    const rate = 62_500 // 500 Mbit/s: 6.25 MB under way
    run(window, rate, 1000)
    expect(run(window, rate, 1000, ROUND_TRIP_MS, 1000)).toBe(rate)
    expect(window.size).toBeGreaterThan(1.9 * rate * ROUND_TRIP_MS)
    expect(window.size).toBeLessThan(2.2 * rate * ROUND_TRIP_MS)
  })

  it('stays as it is on a near path, and on a slow one', () => {
    for (const [rate, roundTripMs] of [
      [600_000, 1],
      [5000, 100],
    ] as const) {
      const window = wide()
      run(window, rate, 3000, roundTripMs)
      expect(window.size).toBe(FIRST_WINDOW)
    }
  })

  it('stays as it is while the round trip is not known, and for a burst after a rest', () => {
    const window = wide()
    run(window, 125_000, 1000, Number.NaN)
    expect(window.size).toBe(FIRST_WINDOW)
    for (let now = 0; now < 60_000; now += 10_000) window.read(64 << 20, now, ROUND_TRIP_MS)
    expect(window.size).toBe(FIRST_WINDOW)
  })

  it('never promises more memory than one channel may have, nor than all may', () => {
    const budget = new WindowBudget(50 << 20)
    const windows = Array.from({ length: 4 }, () => new ReceiveWindow(budget))
    for (const window of windows) run(window, 1e6, 5000)
    const sizes = windows.map(({ size }) => size)
    expect(sizes[0]).toBe(MOST_WINDOW)
    expect(sizes[3]).toBe(FIRST_WINDOW)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe((50 << 20) + 4 * FIRST_WINDOW)
  })

  it('gives back what it had, once, and takes nothing after', () => {
    const budget = new WindowBudget(MOST_WINDOW)
    const first = new ReceiveWindow(budget)
    run(first, 1e6, 5000)
    first.close()
    first.close()
    run(first, 1e6, 5000, ROUND_TRIP_MS, 5000)
    expect(first.size).toBe(FIRST_WINDOW)
    expect(budget.take(Infinity)).toBe(MOST_WINDOW)
    expect(budget.take(1)).toBe(0)
  })

  it('allocates nothing', () => {
    const window = wide()
    let now = 0
    expect(bytesPerCall(() => window.read(CHUNK, (now += 1), ROUND_TRIP_MS), 10_000)).toBeLessThan(24)
  })
})
