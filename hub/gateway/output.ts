/**
 * Octets for a stream that holds on to what it is given: written into blocks one behind the other, handed over a run at a
 * time, and never written to again.
 */
const BLOCK = 65_536

export class Output {
  #block = Buffer.allocUnsafeSlow(BLOCK)
  #from = 0
  #to = 0
  readonly #write: (octets: Buffer) => void

  constructor(write: (octets: Buffer) => void) {
    this.#write = write
  }

  /** What `reserve` gives a place in. */
  get octets(): Buffer {
    return this.#block
  }

  /** Where to write the next `size` octets, at most 64 KiB, in `octets`. What was there before may be handed over. */
  reserve(size: number): number {
    if (this.#to + size > BLOCK) {
      this.flush()
      this.#block = Buffer.allocUnsafeSlow(BLOCK)
      this.#from = this.#to = 0
    }
    const at = this.#to
    this.#to += size
    return at
  }

  /** Hands over what is there. */
  flush(): void {
    if (this.#from === this.#to) return
    const run = this.#block.subarray(this.#from, this.#to)
    this.#from = this.#to
    this.#write(run)
  }
}
