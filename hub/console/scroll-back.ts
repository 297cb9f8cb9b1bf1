/** The last octets that a console has shown. */

/** After so many octets without a line's end, output is cut where it is. */
const LONGEST_LINE = 4096
const NEWLINE = 0x0a

export class ScrollBack {
  readonly #ring: Buffer
  /** Where the next octet goes. */
  #at = 0
  #isFull = false

  constructor(octets: number) {
    this.#ring = Buffer.alloc(octets)
  }

  write(octets: Uint8Array): void {
    const { length } = this.#ring
    let rest = octets
    if (rest.length > length) {
      rest = rest.subarray(rest.length - length)
      this.#isFull = true
    }
    const first = rest.subarray(0, length - this.#at)
    this.#ring.set(first, this.#at)
    this.#ring.set(rest.subarray(first.length), 0)
    if (this.#at + rest.length >= length) this.#isFull = true
    this.#at = (this.#at + rest.length) % length
  }

  /** A copy, which begins at a line's beginning, or where a character does, when the older is lost. */
  read(): Buffer {
    if (!this.#isFull) return Buffer.from(this.#ring.subarray(0, this.#at))
    const all = Buffer.concat([this.#ring.subarray(this.#at), this.#ring.subarray(0, this.#at)])
    const newline = all.subarray(0, LONGEST_LINE).indexOf(NEWLINE)
    if (newline >= 0) return all.subarray(newline + 1)
    // A UTF-8 character has at most 3 octets after its first, RFC 3629 section 3.
    let start = 0
    while (start < 3 && ((all[start] ?? 0) & 0xc0) === 0x80) start++
    return all.subarray(start)
  }
}
