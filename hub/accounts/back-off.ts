/**
 * Exponential back-off by key, in bounded memory. The first `free` failures cost nothing; each further one makes the
 * key wait, from its attempt on: `baseMs`, doubled each time, `maxMs` at most. One failure is forgotten every
 * `forgetMs`. Attempts while waiting do not lengthen the wait.
 */
export interface BackOffLimits {
  readonly free: number
  readonly baseMs: number
  readonly maxMs: number
  readonly forgetMs: number
  /** Keys remembered; beyond, the one that is longest without a failure is forgotten. */
  readonly maxKeys: number
}

interface Failures {
  count: number
  /** When `count` was last brought up to date, and when the key may try again; milliseconds. */
  since: number
  until: number
}

export class BackOff {
  readonly #limits: BackOffLimits
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>()

  constructor(limits: BackOffLimits) {
    this.#limits = limits
  }

  /** Milliseconds that the key must still wait; 0 when it may try. */
  wait(key: string, now: number): number {
    return Math.max(0, (this.#failures.get(key)?.until ?? 0) - now)
  }

  /** Counts a failure. To be called before the outcome is known, so that attempts at the same time count. */
  fail(key: string, now: number): void {
    const entry = this.#failures.get(key) ?? { count: 0, since: now, until: 0 }
    this.#forget(entry, now)
    entry.count++
    const over = entry.count - this.#limits.free
    if (over > 0)
      entry.until = now + Math.min(this.#limits.maxMs, this.#limits.baseMs * 2 ** Math.min(over - 1, 30))
    this.#failures.delete(key)
    this.#failures.set(key, entry)
    if (this.#failures.size > this.#limits.maxKeys) {
      for (const oldest of this.#failures.keys()) {
        this.#failures.delete(oldest)
        return
      }
    }
  }

  /** Takes one failure back that turned out to be none, and the wait it brought. */
  forgive(key: string): void {
    const entry = this.#failures.get(key)
    if (!entry) return
    entry.count = Math.max(0, entry.count - 1)
    entry.until = 0
    if (entry.count === 0) this.#failures.delete(key)
  }

  get size(): number {
    return this.#failures.size
  }

  #forget(entry: Failures, now: number): void {
    const steps = Math.floor((now - entry.since) / this.#limits.forgetMs)
    if (steps <= 0) return
    entry.count = Math.max(0, entry.count - steps)
    entry.since += steps * this.#limits.forgetMs
  }
}
