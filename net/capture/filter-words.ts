/** The words of a filter's text, with the columns that errors name. */
import { ConfigError } from '#net/base/errors.ts'

/** Octets of text: what a filter of many addresses needs, and little to work through. */
export const LONGEST_FILTER = 1024

interface Word {
  readonly text: string
  /** From 1. */
  readonly column: number
}

const ALIASES = new Map([
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
])

export class FilterWords {
  readonly #words: Word[]
  readonly #end: number
  #next = 0

  /** @throws ConfigError when the text is too long */
  constructor(text: string) {
    if (text.length > LONGEST_FILTER)
      throw new ConfigError(`the filter is longer than ${LONGEST_FILTER} characters`)
    this.#words = [...text.matchAll(/&&|\|\||[()!]|[^\s()!&|]+|./gs)]
      .filter(([word]) => word.trim() !== '')
      .map((match) => ({ text: ALIASES.get(match[0]) ?? match[0], column: match.index + 1 }))
    this.#end = text.length + 1
  }

  /** The next word; empty at the end. */
  get next(): string {
    return this.#words[this.#next]?.text ?? ''
  }

  /** Takes the next word. */
  take(): string {
    const word = this.next
    this.#next++
    return word
  }

  /** Takes the next word if it is this one. */
  takes(text: string): boolean {
    if (this.next !== text) return false
    this.#next++
    return true
  }

  /** About the next word, or the one just taken. @throws ConfigError */
  fail(why: string, { before = false } = {}): never {
    const word = this.#words[before ? this.#next - 1 : this.#next]
    const found = word === undefined ? 'the end' : `"${word.text.slice(0, 64)}"`
    throw new ConfigError(`filter, column ${word?.column ?? this.#end}: ${found} ${why}`)
  }
}
