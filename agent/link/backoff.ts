/**
 * When to dial again: from 0.2 s doubling to 3 s, for 10 minutes after the link last worked, so that a short outage
 * ends quickly; then up to 30 s. Each pause is shortened by up to half, so that agents do not come in step.
 */
const FIRST_MS = 200
const SHORT_CAP_MS = 3_000
const LONG_CAP_MS = 30_000
const EAGER_FOR_MS = 10 * 60_000
/** What was up for less than this has not worked. */
export const STEADY_MS = 5_000

export class Backoff {
  #attempts = 0
  #workedAt: number
  readonly #random: () => number

  /** @param random  uniform in [0, 1) */
  constructor(random: () => number, now: number) {
    this.#random = random
    this.#workedAt = now
  }

  /** The link works, or worked until now. */
  worked(now: number): void {
    this.#attempts = 0
    this.#workedAt = now
  }

  /** The link worked, but for a moment only: who takes it up and drops it is not to be dialled over and over. */
  flickered(now: number): void {
    this.#workedAt = now
  }

  /** Things have changed, so that short pauses are worth while again; the link has not worked. */
  hurry(): void {
    this.#attempts = 0
  }

  /** @returns milliseconds to wait before the next attempt. */
  next(now: number): number {
    const cap = now - this.#workedAt < EAGER_FOR_MS ? SHORT_CAP_MS : LONG_CAP_MS
    const full = Math.min(cap, FIRST_MS * 2 ** Math.min(this.#attempts++, 16))
    return Math.max(FIRST_MS, full * (1 - this.#random() / 2))
  }
}

/** Uniform numbers in [0, 1) that a seed determines (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
