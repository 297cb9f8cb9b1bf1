import { expect, it } from 'vitest'
import { Random } from '#net/impairment/random.ts'

const take = (seed: number, stream: number, count: number): number[] => {
  const random = new Random(seed, stream)
  return Array.from({ length: count }, () => random.bits())
}

it('repeats what a seed and a stream gave, and gives others nothing in common', () => {
  expect(take(7, 1, 100)).toEqual(take(7, 1, 100))
  const all = [take(7, 0, 1000), take(7, 1, 1000), take(6, 1, 1000), take(0, 0, 1000)].flat()
  // Of 4000 numbers of 32 bits two are equal in one run of 500.
  expect(new Set(all).size).toBeGreaterThan(3997)
})

it('has each bit set as often as not, and as often as before', () => {
  const numbers = take(1, 0, 100_000)
  for (let bit = 0; bit < 32; bit++) {
    const set = numbers.filter((n) => ((n >>> bit) & 1) === 1).length
    const same = numbers.filter((n, i) => (((n ^ (numbers[i - 1] ?? 0)) >>> bit) & 1) === 0).length
    // Five standard deviations.
    for (const count of [set, same]) expect(Math.abs(count - 50_000)).toBeLessThan(5 * Math.sqrt(25_000))
  }
})

it('has chances of 0 and 100 percent that are sure', () => {
  const random = new Random(3, 0)
  for (let i = 0; i < 10_000; i++) expect([random.chance(0), random.chance(100)]).toEqual([false, true])
})

it('picks each of a few as often', () => {
  const random = new Random(5, 0)
  const counts = [0, 0, 0, 0, 0, 0, 0]
  for (let i = 0; i < 70_000; i++) {
    const picked = random.below(7)
    counts[picked] = (counts[picked] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(10_000))
})
