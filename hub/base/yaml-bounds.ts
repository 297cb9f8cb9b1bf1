/**
 * Bounds of a YAML text, looked at before it is read. The yaml package's parser keeps a stack of its own; what comes
 * after it calls itself, and a few thousand `[` end the process, not only the call. Keys of a map are compared with each
 * other, so that their number squared is what a large one costs.
 */
import { Lexer, Parser } from 'yaml'

const DEEPEST = 64
/** Words, spaces, signs; the text of a block is one. */
const MOST_LEXEMES = 20_000

/** @returns the first place that is beyond what anybody writes, and why; undefined: there is none */
export function beyondBounds(text: string): { offset: number; reason: string } | undefined {
  const parser = new Parser()
  let lexemes = 0
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser
    if (++lexemes > MOST_LEXEMES) return { offset, reason: 'the text goes on for too long' }
    for (const _ of parser.next(lexeme)) continue
    if (parser.stack.length > DEEPEST) return { offset, reason: 'nested too deeply' }
  }
  return undefined
}
