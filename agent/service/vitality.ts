/**
 * Whether a link still turns: it must show a new sign of life within some time of the process's own. Time in which the
 * process stood still (suspend, SIGSTOP) is not held against it.
 */

/** More than the longest pause between two attempts, and the longest attempt. */
const PATIENCE_MS = 180_000

export class Vitality {
  readonly #patienceMs: number
  #sign = ''
  #idleMs = 0
  #lookedAt: number | undefined

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
  }

  /**
   * To be called at intervals.
   * @param sign  another text than before when the link has done something since
   * @param now  monotonic milliseconds
   * @param everyMs  the interval; a longer one was a standstill
   */
  isAlive(sign: string, now: number, everyMs: number): boolean {
    const passed = this.#lookedAt === undefined ? 0 : Math.min(now - this.#lookedAt, everyMs)
    this.#lookedAt = now
    this.#idleMs = sign === this.#sign ? this.#idleMs + passed : 0
    this.#sign = sign
    return this.#idleMs < this.#patienceMs
  }
}
