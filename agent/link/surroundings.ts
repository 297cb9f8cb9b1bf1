/** Tells of what may end a connection without a word: changes of this machine's network, and sleep. */
import { uptime } from 'node:os'

import { Debounce } from '#agent/link/debounce.ts'
import { Stillness, TICK_MS } from '#agent/link/stillness.ts'
import { SystemError } from '#net/base/errors.ts'
import { hasLibc } from '#net/port/c-library.ts'
import { watchWays } from '#net/port/nic/link-watch.ts'

/** What came while nothing ran is read first: the hub may have said that it is over. */
const READ_FIRST_MS = 100

export interface SurroundingsEvents {
  /** Interfaces, addresses or routes have changed. */
  onNetworkChange(): void
  /** Nothing ran here for so long. */
  onWake(sleptMs: number): void
  /** They cannot be watched; one line. */
  onNotice(text: string): void
}

export class Surroundings {
  readonly #events: SurroundingsEvents
  readonly #changes = new Debounce()
  readonly #stillness = new Stillness(performance.now(), uptime() * 1000)
  readonly #ticker: NodeJS.Timeout
  readonly #unwatch: () => void
  #timer: NodeJS.Timeout | undefined
  #waking: NodeJS.Timeout | undefined

  constructor(events: SurroundingsEvents) {
    this.#events = events
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#ticker.unref()
    this.#unwatch = this.#watch()
  }

  close(): void {
    clearInterval(this.#ticker)
    clearTimeout(this.#timer)
    clearTimeout(this.#waking)
    this.#unwatch()
  }

  #watch(): () => void {
    if (!hasLibc) return () => {}
    try {
      return watchWays(() => this.#changed())
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#events.onNotice(`${error.message}; a change of the network is noticed later`)
      return () => {}
    }
  }

  #changed(): void {
    this.#changes.event(performance.now())
    this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    // A timer may fire a fraction of a millisecond before its time.
    const wait = Math.max(1, Math.ceil(this.#changes.deadline - performance.now()))
    this.#timer = setTimeout(() => {
      if (this.#changes.handleTimeout(performance.now())) this.#events.onNetworkChange()
      else this.#arm()
    }, wait)
    this.#timer.unref()
  }

  #tick(): void {
    const sleptMs = this.#stillness.tick(performance.now(), uptime() * 1000)
    if (sleptMs === 0) return
    clearTimeout(this.#waking)
    this.#waking = setTimeout(() => this.#events.onWake(sleptMs), READ_FIRST_MS)
    this.#waking.unref()
  }
}
