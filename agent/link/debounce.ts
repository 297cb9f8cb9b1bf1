/** One action for many events: when they have paused, or have gone on for a while, and not too often. Times in ms. */
const QUIET_MS = 200
const LONGEST_MS = 1_000
/** From one action to the next. */
const APART_MS = 1_000

export class Debounce {
  /** Of the events since the last action. */
  #firstAt = Infinity
  #dueAt = Infinity
  #actedAt = -Infinity

  event(now: number): void {
    if (this.#firstAt === Infinity) this.#firstAt = now
    this.#dueAt = Math.max(Math.min(now + QUIET_MS, this.#firstAt + LONGEST_MS), this.#actedAt + APART_MS)
  }

  /** When `handleTimeout` is to be called; Infinity: no event waits. */
  get deadline(): number {
    return this.#dueAt
  }

  /** @returns whether it is time to act */
  handleTimeout(now: number): boolean {
    if (now < this.#dueAt) return false
    this.#firstAt = this.#dueAt = Infinity
    this.#actedAt = now
    return true
  }
}
