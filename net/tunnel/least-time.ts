/** The least of the times that were measured in the last five to ten minutes: what a path takes when nothing waits on it. */
const REMEMBER_MS = 300_000

export class LeastTime {
  /** Milliseconds; Infinity before the first. */
  #before = Infinity
  #since = Infinity
  #sinceWhen = Number.NaN

  /** @returns the least of all that are remembered, this one too */
  add(took: number, now: number): number {
    if (!(now - this.#sinceWhen < REMEMBER_MS)) {
      this.#before = this.#since
      this.#since = Infinity
      this.#sinceWhen = now
    }
    this.#since = Math.min(this.#since, took)
    return Math.min(this.#since, this.#before)
  }
}
