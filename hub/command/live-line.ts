/** The last line of a terminal, written over as things go on; nothing on what is no terminal. */
import type { WriteStream } from 'node:tty'

const DEFAULT_COLUMNS = 80

export class LiveLine {
  readonly isLive: boolean
  readonly #stream: NodeJS.WritableStream | WriteStream
  #length = 0

  constructor(stream: NodeJS.WritableStream | WriteStream) {
    this.#stream = stream
    this.isLive = 'isTTY' in stream && stream.isTTY
  }

  show(text: string): void {
    if (!this.isLive) return
    // A terminal that does not know its size says 0.
    const columns = ('columns' in this.#stream && this.#stream.columns) || DEFAULT_COLUMNS
    const line = text.slice(0, columns - 1)
    this.#stream.write(`\r${line.padEnd(this.#length)}`)
    this.#length = line.length
  }

  /** Leaves an empty line. */
  end(): void {
    if (this.#length > 0) this.#stream.write(`\r${' '.repeat(this.#length)}\r`)
    this.#length = 0
  }
}
