/** The conditions of a file that are open, `#if` to `#endif`: whether what stands there counts (C11 6.10.1). */
import type { Diagnostics, Place } from '#hub/topology/language/source.ts'
import type { Token } from '#hub/topology/language/token.ts'

const MAX_NESTED = 64

interface Condition {
  readonly place: Place
  /** What is around it counts. */
  readonly isActive: boolean
  /** One of its branches was taken. */
  isTaken: boolean
  isOn: boolean
  hasElse: boolean
}

export class Conditions {
  readonly #diagnostics: Diagnostics
  readonly #open: Condition[] = []

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
  }

  get isOn(): boolean {
    return this.#open.at(-1)?.isOn !== false
  }

  get isFull(): boolean {
    return this.#open.length === MAX_NESTED
  }

  /** @param holds  asked when it matters only */
  begin(word: Token, holds: () => boolean): void {
    const isActive = this.isOn
    const isOn = isActive && holds()
    this.#open.push({ place: word.place, isActive, isTaken: isOn, isOn, hasElse: false })
  }

  elif(word: Token, holds: () => boolean): void {
    const condition = this.#open.at(-1)
    if (condition === undefined) return this.#diagnostics.error(word.place, '#elif without #if')
    if (condition.hasElse) return this.#diagnostics.error(word.place, '#elif behind #else')
    condition.isOn = condition.isActive && !condition.isTaken && holds()
    condition.isTaken ||= condition.isOn
  }

  else(word: Token): void {
    const condition = this.#open.at(-1)
    if (condition === undefined) return this.#diagnostics.error(word.place, '#else without #if')
    if (condition.hasElse) return this.#diagnostics.error(word.place, 'a second #else')
    condition.hasElse = true
    condition.isOn = condition.isActive && !condition.isTaken
    condition.isTaken = true
  }

  endif(word: Token): void {
    if (this.#open.pop() === undefined) this.#diagnostics.error(word.place, '#endif without #if')
  }

  /** The file has ended. */
  end(): void {
    for (const { place } of this.#open) this.#diagnostics.error(place, '#endif is missing for this condition')
    this.#open.length = 0
  }
}
