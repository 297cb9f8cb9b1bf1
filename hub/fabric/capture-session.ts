/**
 * One capture on its way to a reader: a ring on one side, a connected socket on the other. The reader ends it by
 * closing its side for writing, and then reads to the end; what it does not read in time is thrown away.
 */
import type { Capture } from '#net/capture/capture.ts'
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher, WRITABLE } from '#net/port/reactor.ts'

/** Octets of one turn: the ports get theirs after as many. */
const MOST_AT_ONCE = 1 << 18
/** After the end: how long a reader may take nothing of what is left. */
const END_TIMEOUT_MS = 30_000

export class CaptureSession {
  readonly #fd: number
  readonly #capture: Capture
  readonly #onEnd: () => void
  readonly #watcher: Watcher
  readonly #ignored = new Uint8Array(256)
  /** Ends the capture by time, then gives up the reader. */
  #timer: NodeJS.Timeout | undefined
  /** The last blocks, and how much of them has been read. */
  #last: Uint8Array | undefined
  #lastRead = 0
  #events = READABLE | WRITABLE
  #isClosed = false

  /**
   * @param fd  a connected, non-blocking stream socket; the session's from now on
   * @param seconds  after which the capture ends; undefined: when the reader ends it
   * @param onEnd  nothing is written any more, the socket is about to close
   */
  constructor(fd: number, capture: Capture, seconds: number | undefined, onEnd: () => void) {
    this.#fd = fd
    this.#capture = capture
    this.#onEnd = onEnd
    this.#watcher = new Watcher(fd, (events, failed) => this.#ready(events, failed))
    if (seconds !== undefined) this.#timer = setTimeout(() => capture.end(), seconds * 1000)
    this.#watcher.watch(this.#events)
  }

  /** The capture has something to read, or has ended. */
  wake(): void {
    if (this.#capture.isEnded && this.#last === undefined) this.#prepareEnd()
    this.#watch(this.#events | WRITABLE)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#onEnd()
    this.#watcher.close(() => {
      libc.close(this.#fd)
      this.#capture.free()
    })
  }

  #watch(events: number): void {
    this.#events = events
    if (!this.#isClosed) this.#watcher.watch(events)
  }

  #ready(events: number, failed: boolean): void {
    if (failed) return this.close()
    if ((events & READABLE) !== 0) this.#hear()
    if ((events & WRITABLE) !== 0) this.#send()
  }

  #hear(): void {
    const count = libc.recvBuffer(this.#fd, this.#ignored, this.#ignored.length, libc.MSG_DONTWAIT)
    if (count > 0 || (count < 0 && !isGone())) return
    this.#watch(this.#events & ~READABLE)
    this.#capture.end()
  }

  #send(): void {
    const { ring, isEnded } = this.#capture
    const octets = Math.min(ring.waiting, MOST_AT_ONCE)
    if (octets > 0) {
      const address = ring.memory.address + ring.head
      const sent = libc.sendFrom(this.#fd, address, octets, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
      if (sent < 0 && isGone()) return this.close()
      if (sent <= 0) return
      ring.read(sent)
      if (isEnded) this.#timer?.refresh()
    } else if (isEnded) this.#sendLast()
    else this.#watch(this.#events & ~WRITABLE)
  }

  #prepareEnd(): void {
    this.#last = this.#capture.statistics()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.close(), END_TIMEOUT_MS)
  }

  #sendLast(): void {
    const rest = this.#last?.subarray(this.#lastRead)
    if (rest === undefined) return
    const sent = libc.sendBuffer(this.#fd, rest, rest.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
    if (sent < 0 && isGone()) return this.close()
    this.#lastRead += Math.max(sent, 0)
    if (sent === rest.length) this.close()
  }
}

/** After a call that failed: the reader is not merely slow. */
const isGone = (): boolean => libc.errno() !== libc.EAGAIN && libc.errno() !== libc.EINTR
