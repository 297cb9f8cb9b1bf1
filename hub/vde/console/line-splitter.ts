/** Cuts what a client sends into lines, however it comes in pieces. Holds one line and one piece at most. */

/** Octets of a line without its newline. */
export const LONGEST_LINE = 1024
/** In the place of a line that is longer: it is passed over to its end. */
export const TOO_LONG = Symbol('too long')
const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

export class LineSplitter {
  #octets: Buffer = NOTHING
  #isTooLong = false

  push(piece: Buffer): void {
    this.#octets = this.#octets.length === 0 ? piece : Buffer.concat([this.#octets, piece])
  }

  /** The next line without its newline; undefined when no whole one has come. */
  next(): string | typeof TOO_LONG | undefined {
    const end = this.#octets.indexOf(NEWLINE)
    if (end < 0) {
      this.#isTooLong ||= this.#octets.length > LONGEST_LINE
      if (this.#isTooLong) this.#octets = NOTHING
      return undefined
    }
    const line = this.#isTooLong || end > LONGEST_LINE ? TOO_LONG : this.#octets.toString('utf8', 0, end)
    this.#octets = this.#octets.subarray(end + 1)
    this.#isTooLong = false
    return line
  }

  /** A line has begun and not ended. */
  get isInLine(): boolean {
    const last = this.#octets.at(-1)
    return last === undefined ? this.#isTooLong : last !== NEWLINE
  }

  /** Nothing more comes: what is left is a line. */
  finish(): void {
    if (this.isInLine) this.push(Buffer.of(NEWLINE))
  }
}
