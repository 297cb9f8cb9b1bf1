/**
 * Whether the buffer on a path is filled by others. Seen by a round trip that stays long although little of ours is under
 * way. A link that is slow looks the same when even the least of ours takes long on it; so TCP is tried: it gets more only
 * where there was somebody to get it from.
 */

/** A round trip of so many times what we hold it to, and what tunnels beside ours add by their least ... */
const LONG_ROUND_TRIPS = 1.5
const BESIDE_MS = 28
/** ... and no less than this beyond since, as a buffer that others fill is not full all the time, ... */
const STILL_MS = 18
/** ... for so long is not our doing. */
const AFTER_MS = 2000
/** How long TCP is tried, and how many times the rate it must have reached then. */
const TRIAL_MS = 2000
const GAIN = 1.3
/** How long a trial that got nothing is remembered. */
const ALONE_MS = 60_000
/**
 * When it is looked whether the others have gone: on every multiple of this, so that tunnels which share a link, and have
 * taken each other for those others, hold back at the same moment and find it free.
 */
const LOOK_MS = 10_000
/** How long it is looked: our part of the queue has drained then, and what is left is theirs. */
const LOOK_FOR_MS = 500

export interface CrowdReading {
  /** Something had to wait since the last reading. */
  readonly isHeld: boolean
  readonly roundTripMs: number
  /** What the round trip would be with nobody else there. */
  readonly ownMs: number
  /** No more is under way than we hold it to. */
  readonly isHeldTo: boolean
  /** Octets a millisecond that the path takes of ours. */
  readonly rate: number
}

export class Crowd {
  isCrowded = false
  /** Since when the round trip is long; NaN while it is not. */
  #longSince = Number.NaN
  #trialUntil = 0
  #trialRate = 0
  #until = 0
  #aloneUntil = -Infinity
  /** The others were there when it was last looked. */
  #wasCrowded = false

  /** @param now  milliseconds of a clock that other machines have too, as far as can be */
  read(reading: CrowdReading, now: number): void {
    if (this.isCrowded) this.#stay(reading, now)
    else if (now >= this.#aloneUntil) this.#look(reading, now)
  }

  #stay(reading: CrowdReading, now: number): void {
    if (now < this.#trialUntil) return
    if (!this.#wasCrowded && reading.rate < GAIN * this.#trialRate) {
      this.isCrowded = false
      this.#aloneUntil = now + ALONE_MS
      return
    }
    this.#wasCrowded = true
    this.isCrowded = now < this.#until
  }

  #look(reading: CrowdReading, now: number): void {
    if (now - this.#until > AFTER_MS) this.#wasCrowded = false
    const isLong =
      reading.roundTripMs >
      LONG_ROUND_TRIPS * reading.ownMs + (Number.isNaN(this.#longSince) ? BESIDE_MS : STILL_MS)
    if (!isLong || !reading.isHeld || !reading.isHeldTo) this.#longSince = Number.NaN
    else if (Number.isNaN(this.#longSince)) this.#longSince = now
    else if (now - this.#longSince >= (this.#wasCrowded ? LOOK_FOR_MS : AFTER_MS)) {
      this.isCrowded = true
      this.#longSince = Number.NaN
      this.#trialRate = reading.rate
      this.#trialUntil = now + TRIAL_MS
      this.#until = (Math.floor(this.#trialUntil / LOOK_MS) + 1) * LOOK_MS
    }
  }
}
