import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, LONGEST_LINE, TOO_LONG } from '#hub/vde/console/line-splitter.ts'

function linesOf(...pieces: (string | Buffer)[]): (string | typeof TOO_LONG)[] {
  const splitter = new LineSplitter()
  const lines: (string | typeof TOO_LONG)[] = []
  const take = (): void => {
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line)
  }
  for (const piece of pieces) {
    splitter.push(Buffer.from(piece))
    take()
  }
  splitter.finish()
  take()
  return lines
}

describe('LineSplitter', () => {
  it('cuts lines, the last one without its newline', () => {
    expect(linesOf('a\nb', 'c\n\n', 'd')).toEqual(['a', 'bc', '', 'd'])
    expect(linesOf('a\n')).toEqual(['a'])
    expect(linesOf()).toEqual([])
  })

  it('passes over what is too long, up to its newline', () => {
    const longest = 'x'.repeat(LONGEST_LINE)
    expect(linesOf(`${longest}\n`)).toEqual([longest])
    expect(linesOf(`${longest}x\nb\n`)).toEqual([TOO_LONG, 'b'])
    expect(linesOf(longest, longest, longest, '\nb\n')).toEqual([TOO_LONG, 'b'])
    expect(linesOf(longest, longest)).toEqual([TOO_LONG])
  })

  it('says whether a line has begun', () => {
    const splitter = new LineSplitter()
    const states = ['a', 'b\n', 'x'.repeat(LONGEST_LINE + 1), '\n'].map((piece) => {
      splitter.push(Buffer.from(piece))
      while (splitter.next() !== undefined);
      return splitter.isInLine
    })
    expect(states).toEqual([true, false, true, false])
  })

  it('does not care where the pieces end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.stringMatching(/^[a-z ]{0,20}$/), fc.constant('y'.repeat(LONGEST_LINE + 5)))),
        fc.array(fc.nat(1500), { minLength: 1 }),
        (lines, cuts) => {
          const text = lines.map((line) => `${line}\n`).join('')
          const pieces: string[] = []
          for (let at = 0, i = 0; at < text.length; i++) {
            const next = at + 1 + (cuts[i % cuts.length] ?? 0)
            pieces.push(text.slice(at, next))
            at = next
          }
          expect(linesOf(...pieces)).toEqual(
            lines.map((line) => (line.length > LONGEST_LINE ? TOO_LONG : line)),
          )
        },
      ),
    )
  })
})
