import { describe, expect, it } from 'vitest'
import { BufferBound } from '#net/tunnel/buffer-bound.ts'

const MIB = 1 << 20
const LARGE = { sendOctets: Infinity, receiveOctets: 16 * MIB }
const SMALL = { sendOctets: 4 * MIB, receiveOctets: 3 * MIB }
const ROUND_TRIP_MS = 100

/** At how many of ten readings, a second apart, the buffers are what bounds: octets a second of each, each way. */
function bounds(bound: BufferBound, sent: readonly number[], received: readonly number[] = []): boolean[] {
  let [up, down] = [5, 7]
  return Array.from({ length: 10 }, (_, i) => {
    up += sent[i] ?? 0
    down += received[i] ?? 0
    return bound.read(up, down, ROUND_TRIP_MS, 1000 * i)
  })
}
const steady = (mib: number): number[] => Array.from({ length: 10 }, () => mib * MIB)

describe('BufferBound', () => {
  it('shows when much of what they hold is under way for three readings', () => {
    // 2 MiB a round trip.
    const seen = bounds(new BufferBound(SMALL, LARGE), steady(20))
    expect(seen).toEqual([false, false, false, true, true, true, true, true, true, true])
  })

  it('shows in either direction', () => {
    const far = [
      [LARGE, SMALL],
      [SMALL, LARGE],
    ] as const
    // The sender's 4 MiB, the receiver's 3.
    for (const [own, peer] of far) {
      const isSmall = own === SMALL
      for (const [mib, ofSender, ofReceiver] of [
        [15, false, false],
        [17, true, false],
        [23, true, false],
        [25, true, true],
      ] as const) {
        expect(bounds(new BufferBound(own, peer), steady(mib)).at(-1)).toBe(isSmall ? ofSender : ofReceiver)
        expect(bounds(new BufferBound(own, peer), steady(0), steady(mib)).at(-1)).toBe(
          isSmall ? ofReceiver : ofSender,
        )
      }
    }
  })

  it('does not show where the path has less to carry, or the buffers are large', () => {
    expect(bounds(new BufferBound(SMALL, LARGE), steady(10))).not.toContain(true)
    expect(bounds(new BufferBound(LARGE, LARGE), steady(100))).not.toContain(true)
  })

  it('does not show for a moment', () => {
    const burst = [0, 30, 30, 0, 30, 30, 0, 30, 30, 0].map((mib) => mib * MIB)
    expect(bounds(new BufferBound(SMALL, LARGE), burst)).not.toContain(true)
  })

  it('never shows where nothing is known', () => {
    const unknown = { sendOctets: Infinity, receiveOctets: Infinity }
    expect(bounds(new BufferBound(unknown, unknown), steady(1000))).not.toContain(true)
    expect(new BufferBound(SMALL, SMALL).read(1e9, 1e9, Number.NaN, 1)).toBe(false)
  })
})
