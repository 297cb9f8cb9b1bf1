/** What is random in a run follows from its seed. */
const MULTIPLIER = 48_271
const MODULUS = 2_147_483_647

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed % (MODULUS - 1)) + 1
    this.between(0, 1) // the first one is as small as the seed
  }

  /** A number from `least` up to, and without, `most`. */
  between(least: number, most: number): number {
    this.#state = (this.#state * MULTIPLIER) % MODULUS
    return least + ((most - least) * (this.#state - 1)) / (MODULUS - 1)
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((item) => ({ item, key: this.between(0, 1) }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item)
  }
}
