import { expect, it } from 'vitest'
import { someNames } from '#hub/base/some-names.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `b${i}`)

it('names all of few, and some of many', () => {
  expect(someNames([])).toBe('none')
  expect(someNames(['a', 'b'])).toBe('a, b')
  expect(someNames(names(21))).toMatch(/, b19, b20$/)
  expect(someNames(names(1000))).toMatch(/^b0, .*, b19 and 980 others$/)
})
