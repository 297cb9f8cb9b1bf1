/**
 * Writes to a terminal without waiting for it: the connection of whoever looks on may hang, while frames go on through this
 * process. One text at a time.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs'

const AGAIN_MS = 100
const NOTHING = Buffer.alloc(0)

export interface WriterEvents {
  /** The text is written. */
  onWritten(): void
  /** The terminal takes no more. */
  onGone(): void
}

export class TerminalWriter {
  readonly #fd: number
  readonly #isOwn: boolean
  readonly #events: WriterEvents
  /** What the terminal has not taken yet. */
  #rest: Buffer = NOTHING
  #again: NodeJS.Timeout | undefined

  /** @param fd  of the terminal; it stays the caller's */
  constructor(fd: number, events: WriterEvents) {
    const own = openAgain(fd)
    this.#fd = own ?? fd
    this.#isOwn = own !== undefined
    this.#events = events
  }

  get isBusy(): boolean {
    return this.#rest.length > 0
  }

  /** Only when it is not busy. */
  write(text: string): void {
    this.#rest = Buffer.from(text)
    this.#flush()
  }

  /** Writes after all else what the terminal takes of it at once, and no more of anything. */
  writeLast(text: string): void {
    clearTimeout(this.#again)
    let rest = Buffer.concat([this.#rest, Buffer.from(text)])
    this.#rest = NOTHING
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd, rest))
    } catch {
      // It is stuck, or gone: nobody sees what it shows.
    }
  }

  close(): void {
    clearTimeout(this.#again)
    if (this.#isOwn) closeSync(this.#fd)
  }

  #flush(): void {
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') {
        this.#again = setTimeout(() => this.#flush(), AGAIN_MS)
        return
      }
      this.#rest = NOTHING
      return this.#events.onGone()
    }
    this.#events.onWritten()
  }
}

/** The same terminal opened anew, as only then writing without waiting is ours alone; undefined where that is not to be had. */
function openAgain(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}
