import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ScrollBack } from '#hub/console/scroll-back.ts'

const kept = (octets: number, ...pieces: string[]): string => {
  const back = new ScrollBack(octets)
  for (const piece of pieces) back.write(Buffer.from(piece))
  return back.read().toString()
}

it('keeps all while there is room', () => {
  expect(kept(8)).toBe('')
  expect(kept(8, 'abc', 'defg')).toBe('abcdefg')
})

it('begins with a line when the older is lost', () => {
  expect(kept(8, 'one\ntwo\nsix')).toBe('two\nsix')
  expect(kept(8, 'one\n', 'two\n', 'sixteen\nx')).toBe('x')
})

it('begins with a character when there is no end of a line', () => {
  expect(kept(8, 'ääääää')).toBe('ääää')
  expect(kept(7, 'ääääää')).toBe('äää')
})

it('has the last octets, however they came', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.uint8Array({ maxLength: 30 })),
      (size, pieces) => {
        const back = new ScrollBack(size)
        for (const piece of pieces) back.write(piece)
        const all = Buffer.concat(pieces)
        const read = back.read()
        const isWhole = all.length < size
        const newline = isWhole ? -1 : all.subarray(-size).indexOf(0x0a)
        const most = isWhole ? all.length : newline >= 0 ? size - newline - 1 : size
        const least = isWhole || newline >= 0 ? most : Math.max(0, size - 3)
        expect(read.length).toBeLessThanOrEqual(most)
        expect(read.length).toBeGreaterThanOrEqual(least)
        expect(all.subarray(all.length - read.length).equals(read)).toBe(true)
      },
    ),
  )
})
