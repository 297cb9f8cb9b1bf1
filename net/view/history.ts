/** Rates of one port in the last minutes, a value a second. */

/** Seconds that are kept, and that graphs show. */
export const HISTORY_SECONDS = 300

export class RateHistory {
  /** Octets a second; the next value goes to `#next`, what is older lies before it. */
  readonly #in = new Float64Array(HISTORY_SECONDS)
  readonly #out = new Float64Array(HISTORY_SECONDS)
  #pushed = 0

  /** @param seconds  for how long this was the rate, at least one value is kept */
  push(inOctetsPerSecond: number, outOctetsPerSecond: number, seconds: number): void {
    const values = Math.min(HISTORY_SECONDS, Math.max(1, Math.round(seconds)))
    for (let i = 0; i < values; i++) {
      const at = this.#pushed++ % HISTORY_SECONDS
      this.#in[at] = inOctetsPerSecond
      this.#out[at] = outOctetsPerSecond
    }
  }

  /**
   * The largest value of each stretch of seconds, oldest first, the last one ending now; 0 where there was none.
   * Stretches begin at whole multiples since the first value: what was drawn moves, but does not change.
   */
  columns(direction: 'in' | 'out', width: number): number[] {
    const values = direction === 'in' ? this.#in : this.#out
    const seconds = Math.max(1, Math.ceil(HISTORY_SECONDS / Math.max(1, width)))
    const columns: number[] = Array(Math.max(0, width)).fill(0)
    const lastStretch = Math.floor((this.#pushed - 1) / seconds)
    const oldest = Math.max(0, this.#pushed - HISTORY_SECONDS)
    for (let second = oldest; second < this.#pushed; second++) {
      const column = width - 1 - lastStretch + Math.floor(second / seconds)
      if (column < 0) continue
      columns[column] = Math.max(columns[column] ?? 0, values[second % HISTORY_SECONDS] ?? 0)
    }
    return columns
  }
}
