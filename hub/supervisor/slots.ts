/** So many things at a time, the others in the order in which they came; none before there are slots. */
export class Slots {
  #free = 0
  readonly #waiting: (() => void)[] = []

  add(count: number): void {
    for (let i = 0; i < count; i++) this.#release()
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await action()
    } finally {
      this.#release()
    }
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
