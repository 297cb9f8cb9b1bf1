import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arena, roundedToPages } from '#net/port/arena.ts'

describe('arena', () => {
  test('gives pages, and none when it is full', () => {
    const arena = new Arena(3 * 4096)
    expect(arena.allocate(1)).toBe(0)
    expect(arena.allocate(4097)).toBe(4096)
    expect(arena.allocate(1)).toBe(-1)
    arena.release(0, 1)
    expect(arena.allocate(4097)).toBe(-1)
    expect(arena.allocate(4096)).toBe(0)
  })

  test('blocks never overlap, and all of it is free again when all are given back', () => {
    const size = 64 * 4096
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ take: fc.boolean(), size: fc.integer({ min: 1, max: 40_000 }), pick: fc.nat() }),
        ),
        (steps) => {
          const arena = new Arena(size)
          const held: { offset: number; size: number }[] = []
          for (const step of steps) {
            if (step.take) {
              const offset = arena.allocate(step.size)
              if (offset < 0) continue
              held.push({ offset, size: step.size })
            } else if (held.length > 0) {
              const [one] = held.splice(step.pick % held.length, 1)
              if (one) arena.release(one.offset, one.size)
            }
          }
          const inOrder = held.toSorted((a, b) => a.offset - b.offset)
          inOrder.forEach((one, i) => {
            const next = inOrder[i + 1]?.offset ?? size
            expect(one.offset + roundedToPages(one.size)).toBeLessThanOrEqual(next)
          })
          for (const one of held) arena.release(one.offset, one.size)
          expect(arena.allocate(size)).toBe(0)
        },
      ),
    )
  })
})
