/**
 * An alarm to the fraction of a millisecond: timerfd_create(2) on the event loop. Node's own timers count whole
 * milliseconds, and are due up to one later.
 */
import * as libc from '#net/port/libc.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'

/** Octets of struct itimerspec, and of the count that is read. */
const ITIMERSPEC = 32
const COUNT = 8
const NS_PER_S = 1_000_000_000

export class TimerAlarm {
  readonly #fd: number
  readonly #watcher: Watcher
  /** struct itimerspec of x86-64 and arm64: interval, then value, as seconds and nanoseconds of 64 bits. */
  readonly #spec = FrameMemory.native(ITIMERSPEC + COUNT)
  readonly #words: Uint32Array

  /** @throws SystemError when there are no descriptors left */
  constructor(onTime: () => void) {
    const { buffer, byteOffset } = this.#spec.bytes
    this.#words = new Uint32Array(buffer, byteOffset, ITIMERSPEC >> 2)
    this.#fd = libc.timerfdCreate(libc.CLOCK_MONOTONIC, libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC)
    if (this.#fd < 0) throw libc.systemError('cannot make a timer')
    this.#watcher = new Watcher(this.#fd, () => {
      if (libc.read(this.#fd, this.#spec.address + ITIMERSPEC, COUNT) === COUNT) onTime()
    })
    this.#watcher.watch(READABLE)
  }

  /** Calls `onTime` once, `ms` milliseconds from now or a little later; replaces what was set before. */
  set(ms: number): void {
    // All zero would mean: never.
    const ns = Math.max(1, Math.ceil(ms * 1e6))
    this.#words[4] = Math.floor(ns / NS_PER_S)
    this.#words[6] = ns % NS_PER_S
    libc.timerfdSettime(this.#fd, 0, this.#spec.address, 0)
  }

  close(): void {
    this.#watcher.close(() => {
      libc.close(this.#fd)
      this.#spec.free()
    })
  }
}
