/** What hostile files could make large, counted: a bound that is passed is told, and nothing more is read. */
import type { Diagnostics } from '#hub/topology/language/source.ts'
import type { Token } from '#hub/topology/language/token.ts'

/** Tokens that expansions may make, all together. */
const MAX_EXPANDED = 200_000
/** Characters of the words that `#` and `##` make of others, all together: each could be twice as long as the last. */
const MAX_MADE_CHARACTERS = 4 << 20
/** Files that are read in again count again. */
const MAX_INCLUDED_CHARACTERS = 1 << 20

/** A bound was passed. */
export class TooMuch extends Error {}

/** Each method tells a bound that is passed at `use`, and throws TooMuch then. */
export class Budget {
  readonly #diagnostics: Diagnostics
  #expanded = 0
  #made = 0
  #included = 0

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
  }

  /** An expansion has made a token, or read one. */
  expanded(use: Token): void {
    if (++this.#expanded > MAX_EXPANDED)
      this.exceed(
        use,
        `the macros expand to more than ${MAX_EXPANDED} tokens; the file is not read any further`,
      )
  }

  /** One word is made of `parts`. */
  made(use: Token, parts: readonly Token[]): void {
    for (const { text } of parts) this.#made += text.length + 1
    if (this.#made > MAX_MADE_CHARACTERS)
      this.exceed(
        use,
        `the macros make words of more than ${MAX_MADE_CHARACTERS >> 20} MiB; the file is not read any further`,
      )
  }

  included(use: Token, characters: number): void {
    this.#included += characters
    if (this.#included > MAX_INCLUDED_CHARACTERS)
      this.exceed(use, `more than ${MAX_INCLUDED_CHARACTERS >> 20} MiB are included`)
  }

  exceed(use: Token, message: string): never {
    this.#diagnostics.error(use.place, message)
    throw new TooMuch()
  }
}
