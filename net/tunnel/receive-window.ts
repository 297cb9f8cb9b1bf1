/**
 * How much a far side may have under way to us on one channel (SSH's window, RFC 4254 §5.2). 2 MiB are 160 Mbit/s over a
 * round trip of 100 ms; so the window is twice what was read in a round trip, by which a sender that it limits can double
 * its rate every round trip.
 *
 * What is granted is memory promised: it may all arrive while the reader stands still. So it grows only by what was read,
 * and within a budget that the channels of a process share.
 *
 * Pure: the shell tells what was read and grants (net/port/tunnel/channel-window.ts).
 */

/** What SSH begins with. */
export const FIRST_WINDOW = 2 << 20
/** 1.3 Gbit/s over 200 ms. */
export const MOST_WINDOW = 32 << 20
const GROWTH = 2
/** A slower reading is not for what is under way: the sender rests. */
const LONGEST_READING = 4

/** Octets that channels may be granted beyond what each begins with. */
export class WindowBudget {
  #left: number

  constructor(octets: number) {
    this.#left = octets
  }

  /** @returns how many of `octets` it gives */
  take(octets: number): number {
    const given = Math.min(octets, this.#left)
    this.#left -= given
    return given
  }

  giveBack(octets: number): void {
    this.#left += octets
  }
}

export class ReceiveWindow {
  /** Octets that may be under way, or arrived and not read. */
  size = FIRST_WINDOW
  readonly #budget: WindowBudget
  #isOpen = true
  #octets = 0
  #since = Number.NaN

  constructor(budget: WindowBudget) {
    this.#budget = budget
  }

  /** `octets` were read. @param roundTripMs  of the path when nothing waits; NaN while it is not known */
  read(octets: number, now: number, roundTripMs: number): void {
    this.#octets += octets
    const took = now - this.#since
    if (!this.#isOpen || took < roundTripMs) return
    if (took < LONGEST_READING * roundTripMs) this.#grow((GROWTH * this.#octets * roundTripMs) / took)
    this.#octets = 0
    this.#since = now
  }

  /** The channel is over. */
  close(): void {
    this.#isOpen = false
    this.#budget.giveBack(this.size - FIRST_WINDOW)
    this.size = FIRST_WINDOW
  }

  #grow(wanted: number): void {
    const more = Math.floor(Math.min(wanted, MOST_WINDOW)) - this.size
    if (more > 0) this.size += this.#budget.take(more)
  }
}
