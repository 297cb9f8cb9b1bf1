import { describe, expect, it } from 'vitest'
import { beyondBounds } from '#hub/base/yaml-bounds.ts'

describe('bounds of YAML', () => {
  it.each([
    ['flow sequences', '[', 1],
    ['flow maps', '{ a: ', 5],
    ['sequences', '- ', 2],
    ['maps of complex keys', '? ', 2],
    ['brackets that are closed in quotes', '["]", ', 6],
  ])('nested %s', (_, unit, length) => {
    const beyond = beyondBounds(unit.repeat(30_000))
    expect(beyond?.reason).toBe('nested too deeply')
    expect(beyond?.offset).toBeGreaterThan(60)
    expect(beyond?.offset).toBeLessThan(70 * length)
  })
  it('nested maps, indented', () => {
    const text = Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')
    expect(beyondBounds(text)?.reason).toBe('nested too deeply')
  })
  it('many words', () => {
    expect(beyondBounds('- a\n'.repeat(10_000))?.reason).toBe('the text goes on for too long')
    expect(beyondBounds('- a\n'.repeat(3000))).toBeUndefined()
  })
  it('let what people write pass', () => {
    expect(beyondBounds(`a: { b: [c, { d: 1 }] }\nrun: |\n${'  [ -f x ]\n'.repeat(9000)}`)).toBeUndefined()
    expect(beyondBounds('')).toBeUndefined()
  })
})
