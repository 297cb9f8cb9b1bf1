/** Cuts a source text into tokens: as a C preprocessor does, as far as the language needs it. */
import type { Diagnostics, Place, SourceFile } from '#hub/topology/language/source.ts'

type TokenKind = 'word' | 'number' | 'string' | 'mark'

export interface Token {
  readonly kind: TokenKind
  /** As it stands in the text; of a string what is between the quotes, escapes as they are. */
  readonly text: string
  readonly place: Place
  /** The first one of its line. */
  readonly startsLine: boolean
  /** White space or a comment stands before it. */
  readonly isSpaced: boolean
  /** A macro's name that its own expansion brought up: it stays what it is (C11 6.10.3.4). */
  readonly isFinal: boolean
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /[0-9][A-Za-z0-9_]*/y
const BLANK = /(?:[ \t\f\v\r\u00a0\ufeff]|\\\r?\n)+/y
/** A string ends at its line's end, whether it is closed or not. */
const STRING = /"((?:[^"\\\r\n]|\\[^\r\n])*)("?)/y

/** Of one file: real ones have a few thousand. */
const MAX_TOKENS = 100_000

/**
 * @returns the tokens of a whole file, comments left out; a comment or string that does not end is an error, and so is a
 * file of too many tokens, which is read no further
 */
export function tokenize(file: SourceFile, diagnostics: Diagnostics): Token[] {
  const { text } = file
  const tokens: Token[] = []
  let at = 0
  let line = 1
  let lineStart = 0
  let startsLine = true
  let isSpaced = false
  const place = (): Place => ({ file, line, column: at - lineStart + 1, macro: '' })
  const skip = (end: number): void => {
    // Within what is skipped only: the next line's end may be far away, again and again.
    const skipped = text.slice(at, end)
    for (let eol = skipped.indexOf('\n'); eol >= 0; eol = skipped.indexOf('\n', eol + 1)) {
      line++
      lineStart = at + eol + 1
    }
    at = end
    isSpaced = true
  }
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  const add = (kind: TokenKind, content: string, length: number): void => {
    tokens.push({ kind, text: content, place: place(), startsLine, isSpaced, isFinal: false })
    at += length
    startsLine = isSpaced = false
  }
  while (at < text.length) {
    if (tokens.length === MAX_TOKENS) {
      diagnostics.error(place(), `the file has more than ${MAX_TOKENS} words; it is not read any further`)
      break
    }
    const c = text.charAt(at)
    if (c === '\n') {
      skip(at + 1)
      startsLine = true
      continue
    }
    const blank = match(BLANK)
    if (blank) {
      skip(at + blank[0].length)
      continue
    }
    if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at)
      skip(end < 0 ? text.length : end)
      continue
    }
    if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2)
      if (end < 0) diagnostics.error(place(), 'this comment is not closed: `*/` is missing')
      skip(end < 0 ? text.length : end + 2)
      continue
    }
    const word = match(WORD)
    if (word) {
      add('word', word[0], word[0].length)
      continue
    }
    const number = match(NUMBER)
    if (number) {
      add('number', number[0], number[0].length)
      continue
    }
    const string = match(STRING)
    if (string) {
      if (string[2] === '') diagnostics.error(place(), 'this string is not closed: `"` is missing')
      add('string', string[1] ?? '', string[0].length)
      continue
    }
    const pair = text.startsWith('##', at) || /^(?:==|!=|<=|>=|&&|\|\|)/.test(text.slice(at, at + 2))
    const code = text.codePointAt(at) ?? 0
    const length = pair ? 2 : code > 0xffff ? 2 : 1
    add('mark', text.slice(at, at + length), length)
  }
  return tokens
}
