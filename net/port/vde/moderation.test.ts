import { describe, expect, it } from 'vitest'
import { Moderation } from '#net/port/vde/moderation.ts'

/** What `begin` says in so many turns, `gapMs` apart, of `frames` each. */
function turns(moderation: Moderation, count: number, gapMs: number, frames: number, from = 0): boolean[] {
  return Array.from({ length: count }, (_, i) => {
    const waits = moderation.begin(from + i * gapMs)
    moderation.read(frames)
    return waits
  })
}

describe('Moderation', () => {
  it('waits in a stream of few frames a turn, once it is one', () => {
    const waits = turns(new Moderation(), 40, 0.1, 3)
    expect(waits.slice(0, 8)).toEqual(Array(8).fill(false))
    expect(waits.slice(12)).toEqual(Array(28).fill(true))
  })

  it('does not wait in a conversation, nor when many come at a time, nor when turns are apart', () => {
    for (const [gapMs, frames] of [
      [0.05, 1],
      [0.1, 64],
      [0.6, 3],
    ] as const)
      expect(turns(new Moderation(), 100, gapMs, frames)).not.toContain(true)
  })

  it('ends with the stream', () => {
    const moderation = new Moderation()
    expect(turns(moderation, 40, 0.1, 3).at(-1)).toBe(true)
    expect(turns(moderation, 8, 0.1, 3, 100)).toEqual(Array(8).fill(false))
  })
})
