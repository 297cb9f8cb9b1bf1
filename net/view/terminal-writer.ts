/**
 * Writes to a terminal in a thread: it blocks, and the connection of whoever looks on may hang, while frames go on through
 * this process. One text at a time.
 */
import { write } from 'node:fs'

export interface WriterEvents {
  /** A text is written; not whole: the terminal would have had us wait, and lacks the rest. */
  onWritten(isWhole: boolean): void
  /** The terminal takes no more. */
  onGone(): void
}

export class TerminalWriter {
  readonly #fd: number
  readonly #events: WriterEvents
  #isBusy = false
  #onIdle: () => void = () => {}

  constructor(fd: number, events: WriterEvents) {
    this.#fd = fd
    this.#events = events
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Only when it is not busy. */
  write(text: string): void {
    this.#isBusy = true
    this.#next(Buffer.from(text), 0)
  }

  /** Resolves when nothing is under way, or after `mostMs`. */
  async idle(mostMs: number): Promise<void> {
    if (!this.#isBusy) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, mostMs)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #next(octets: Buffer, from: number): void {
    write(this.#fd, octets, from, octets.length - from, null, (error, written) => {
      if (error === null && from + written < octets.length) return this.#next(octets, from + written)
      this.#isBusy = false
      this.#onIdle()
      if (error === null || error.code === 'EAGAIN') this.#events.onWritten(error === null)
      else this.#events.onGone()
    })
  }
}
