import { expect, it } from 'vitest'
import { Vitality } from '#agent/service/vitality.ts'

it('misses a sign of life after its patience, in time that the process had itself', () => {
  const vitality = new Vitality(60_000)
  expect(vitality.isAlive('1', 0, 10_000)).toBe(true)
  for (let now = 10_000; now < 60_000; now += 10_000) expect(vitality.isAlive('1', now, 10_000)).toBe(true)
  expect(vitality.isAlive('1', 60_000, 10_000)).toBe(false)
  expect(vitality.isAlive('2', 70_000, 10_000)).toBe(true)
})

it('takes a standstill of hours for one interval', () => {
  const vitality = new Vitality(60_000)
  expect(vitality.isAlive('1', 0, 10_000)).toBe(true)
  expect(vitality.isAlive('1', 36_000_000, 10_000)).toBe(true)
  expect(vitality.isAlive('1', 36_050_000, 10_000)).toBe(true)
})
