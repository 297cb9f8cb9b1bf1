import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clip, fit, left, plainText, right, span, wrap } from '#net/view/text.ts'

describe('plainText', () => {
  it.each([
    ['plain, with ünïcode', 'plain, with ünïcode'],
    ['\u001b[31mred\u001b]0;title\u0007', '?[31mred?]0;title?'],
    ['{red-fg}{/} {escape}', '{red-fg}{/} {escape}'],
    ['two\r\nlines\tand a tab', 'two lines and a tab'],
    ['C1: \u009b31m', 'C1: ?31m'],
    ['turned \u202e round, joined\u200d', 'turned ? round, joined?'],
    ['e\u0301 \u65e5\u672c \ud83d\ude00 \ud800', 'e ?? ? ?'],
  ])('%j becomes %j', (text, wanted) => {
    expect(plainText(text)).toBe(wanted)
  })

  it('lets nothing through that a terminal obeys, and nothing of another width, of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const plain = plainText(text)
        // eslint-disable-next-line no-control-regex
        expect(plain).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]|\p{Surrogate}/u)
        expect(plain.length).toBeLessThanOrEqual(text.length)
      }),
    )
  })
})

describe('cells', () => {
  it('are cut and filled to their width', () => {
    expect([clip('12345', 5, '…'), clip('12345', 4, '…'), clip('12345', 0, '…')]).toEqual([
      '12345',
      '123…',
      '',
    ])
    expect([left('ab', 4, '…'), right('ab', 4, '…')]).toEqual(['ab  ', '  ab'])
  })

  it('are broken at spaces, and anywhere where there are none', () => {
    expect(wrap('cannot reach the hub', 12)).toEqual(['cannot reach', 'the hub'])
    expect(wrap('0123456789abc d', 5)).toEqual(['01234', '56789', 'abc d'])
    expect(wrap('', 5)).toEqual([''])
  })

  it('make rows of exactly the width', () => {
    const row = [span('abc'), span('def', 'bar')]
    expect(fit(row, 4)).toEqual([span('abc'), span('d', 'bar')])
    expect(fit(row, 8)).toEqual([...row, span('  ', 'bar')])
    expect(fit(row, 0)).toEqual([])
  })
})
