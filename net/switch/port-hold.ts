/** How long a port that was found in a loop is shut: longer each time, up to a bound. Times are monotonic ms. */

const FIRST_HOLD_MS = 5000
const LONGEST_HOLD_MS = 320_000

export class PortHold {
  /** Number of the other port of the loop. */
  readonly other: number
  readonly holdMs: number
  readonly until: number

  /** @param last  the loop's last hold, which this one doubles unless all was well since for as long, and a minute */
  constructor(other: number, now: number, last: PortHold | null) {
    const isAgain = last !== null && now < last.until + Math.max(60_000, last.holdMs)
    this.other = other
    this.holdMs = isAgain ? Math.min(2 * last.holdMs, LONGEST_HOLD_MS) : FIRST_HOLD_MS
    this.until = now + this.holdMs
  }
}
