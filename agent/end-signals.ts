/** SIGINT and SIGTERM: the first asks the program to end, the second ends it at once. */

const EXIT_CODES = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

/** Takes them from the moment it is made: none ends the process without the listeners of its `exit` event. */
export class EndSignals {
  #hasCome = false
  #act: (() => void) | undefined

  /** @param exit  ends the process with a code */
  constructor(exit: (code: number) => void = (code) => process.exit(code)) {
    for (const [signal, code] of EXIT_CODES)
      process.on(signal, () => {
        if (this.#hasCome) return exit(code)
        this.#hasCome = true
        this.#act?.()
      })
  }

  /** The program has been asked to end. */
  get hasCome(): boolean {
    return this.#hasCome
  }

  /** What the first signal does. One that has come before is for the caller to act on. */
  onFirst(act: () => void): void {
    this.#act = act
  }
}
