/** Tokens as text, and text as tokens: what `#` and `##` make of them (C11 6.10.3). */
import type { Token } from '#hub/topology/language/token.ts'

export const isMark = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'mark' && token.text === text

/** Tokens as text, one space where there was any (C11 6.10.3.2). */
export function spell(tokens: readonly Token[]): string {
  return tokens
    .map(({ kind, text, isSpaced, startsLine }, i) => {
      const space = i > 0 && (isSpaced || startsLine) ? ' ' : ''
      return space + (kind === 'string' && tokens.length > 1 ? `\\"${text}\\"` : text)
    })
    .join('')
}

/** `private` ## `0` is one word. */
export function paste(left: Token, right: Token): Token {
  const text = left.text + right.text
  if (left.kind === 'string' || right.kind === 'string') return { ...left, kind: 'string', text }
  const kind = /^[A-Za-z_]\w*$/.test(text) ? 'word' : /^[0-9]\w*$/.test(text) ? 'number' : 'mark'
  return { ...left, kind, text, isFinal: false }
}
