/** A point that something reaches once, or fails to. */
export class Milestone<T> {
  /** Nobody need wait for it: a failure that nobody hears of is no error. */
  readonly reached: Promise<T>
  #pass: (value: T) => void = () => {}
  #fail: (error: Error) => void = () => {}

  constructor() {
    this.reached = new Promise((resolve, reject) => {
      this.#pass = resolve
      this.#fail = reject
    })
    this.reached.catch(() => {})
  }

  /** Of this and `fail` the first call counts. */
  pass(value: T): void {
    this.#pass(value)
  }

  fail(error: Error): void {
    this.#fail(error)
  }
}
