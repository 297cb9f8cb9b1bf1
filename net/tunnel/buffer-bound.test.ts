import { describe, expect, it } from 'vitest'
import { BufferBound } from '#net/tunnel/buffer-bound.ts'

const MIB = 1 << 20
const LARGE = { sendOctets: 32 * MIB, receiveOctets: 32 * MIB }
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
  it('is what the sender may send and the receiver may take', () => {
    expect(new BufferBound(SMALL, LARGE)).toMatchObject({ up: 4 * MIB, down: 3 * MIB })
    expect(new BufferBound(LARGE, SMALL)).toMatchObject({ up: 3 * MIB, down: 4 * MIB })
  })

  it('shows when nearly all of it is under way for three readings', () => {
    // 2 MiB a round trip, of 4.
    const seen = bounds(new BufferBound(SMALL, LARGE), steady(20))
    expect(seen).toEqual([false, false, false, true, true, true, true, true, true, true])
  })

  it('shows in either direction', () => {
    expect(bounds(new BufferBound(LARGE, SMALL), steady(1), steady(20)).at(-1)).toBe(true)
    expect(bounds(new BufferBound(SMALL, LARGE), steady(1), steady(10)).at(-1)).toBe(false)
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
