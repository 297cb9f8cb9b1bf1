/**
 * How much a tunnel may have under way, from what its TCP connection does: the rate at which the path takes octets sets
 * what may be in flight, what may wait in the tunnel's own queue, and how long a frame may be.
 *
 * TCP itself fills the buffer before the narrowest link, whatever its size. Here what is in flight is held to the path's
 * own round trip and a little more, so that the buffer stays nearly empty and the link busy. Where the buffer stays full
 * nevertheless it is filled by others: holding back would only leave the link to them, so TCP then gets what it takes,
 * and now and then it is looked whether they have gone.
 *
 * Pure: the shell reads the connection now and then (net/port/tunnel/connection.ts) and follows what is decided here.
 */
import { Crowd } from '#net/tunnel/crowd.ts'

/** One reading of a connection; octets. */
export interface PathReading {
  /** Since the connection's beginning. */
  ackedOctets: number
  /** Written and not acknowledged. */
  flightOctets: number
  /** Something had to wait for `Pace.limit` since the last reading. */
  isHeld: boolean
  /** The far side read late what had arrived there, since the last reading. */
  isLate: boolean
  roundTripMs: number
  /** The least that was seen in the last minutes. */
  leastRoundTripMs: number
}

/** What is taken for the rate before anything is known, octets a millisecond: 10 Mbit/s. */
const FIRST_RATE = 1250
const LEAST_RATE = 8
/** From 1 Gbit/s on no queue of ours is worth shortening; down to 600 Mbit/s it stays so. */
const FAST = 125_000
const NOT_FAST = 75_000
/** In flight beyond the path's round trip: the queue that keeps the link busy and shows more of it when there is. */
const BUDGET_MS = 15
/** Of the round trip, if that is more: else a far path's rate would be found too slowly. */
const BUDGET_SHARE = 0.25
/**
 * The same before the path has shown its end. Flows in the tunnel double what they have under way each round trip, TCP under
 * it too; what is acknowledged now was written a round trip ago.
 */
const FIRST_BUDGET_SHARE = 2
/**
 * From there to the other, by a reading: at once would be a moment in which nothing leaves, and flows that have twice the
 * round trip under way would lose what does not fit the queue meanwhile. CoDel slows them down first.
 */
const BUDGET_SHRINKS = 0.95
/**
 * The end of a far path has shown when so many readings bring no more than this above the rate. One long round trip is no
 * sign there: flows in the tunnel that lost something for it would take many to find the rate again.
 */
const FLAT_READINGS = 3
const GROWING = 1.1
/**
 * And as much beside it, whatever the rate: two segments, as acknowledgements come for every second one. As it is the same
 * for all, tunnels that share a link come to equal parts of it; by a share of the rate alone each would keep what it has.
 */
const EXTRA_FLIGHT = 3000
/** What is written at once: a frame that may not wait stands behind it. */
const PIECE_MS = 3
/** On a path that is shared, what waits unsent, in pieces: TCP that has no more to send than it may does not try for more. */
const CROWD_PIECES = 2
/**
 * The tunnel's own queue, which only flows that do not yield fill: CoDel keeps the others at a few milliseconds. Others do
 * not wait behind them, so there is room for a burst, or for a machine that was busy for a moment.
 */
const QUEUE_MS = 100
const LEAST_QUEUE = 128 << 10
const MOST_QUEUE = 3 << 19
/**
 * What a round trip brings, if that is more: flows of a far path send as much at once after a moment in which nothing
 * moved. Three quarters of the queue's memory, which holds no more.
 */
const MOST_FAR_QUEUE = 3 << 20
/** A super-frame that takes longer is cut: nothing can go between its octets. */
const LONGEST_MS = 5
const FULL_FRAME = 1514
const CODEL_TARGET_MS = 5
/** Shorter round trips have no queue of an uplink between: loss-based control costs less there than BBR's timers. */
const NEAR_MS = 5

export class Pace {
  /** False: bulk throughput is all that counts. */
  readonly isControlled: boolean
  /** Octets a millisecond that the path takes. */
  rate = FIRST_RATE
  /** No latency control is needed, or wanted. */
  isFast: boolean
  /** Octets in flight, or unsent, from which on nothing more is to be written. */
  limit = 0
  /** Octets to write at once. */
  piece = 0
  /** Octets that may wait in the tunnel's own queue. */
  queueLimit = 0
  /** Longest super-frame, octets. */
  longest = 0
  /** CoDel's target, RFC 8289 §4.3: no less than the time that a full frame takes. */
  targetMs = CODEL_TARGET_MS
  /** The congestion control that fits the path. */
  congestion: 'cubic' | 'bbr' = 'cubic'
  #acked = 0
  #readAt = Number.NaN
  #wasHeld = false
  /** Readings in a row with something held back, and no higher rate. */
  #flat = 0
  /** The path has shown its end. */
  #isKnown = false
  #budgetShare = FIRST_BUDGET_SHARE
  readonly #crowd = new Crowd()

  constructor(isControlled: boolean) {
    this.isControlled = isControlled
    this.isFast = !isControlled
    this.#settle(0)
  }

  /** Others fill the path's buffer: `limit` is of unsent octets, and not of those in flight. */
  get isCrowded(): boolean {
    return this.#crowd.isCrowded
  }

  /** Takes a reading; `now` in milliseconds of a clock that other machines have too, as far as can be. */
  read(reading: PathReading, now: number): void {
    const { roundTripMs, leastRoundTripMs } = reading
    const ownMs = leastRoundTripMs + budgetOf(leastRoundTripMs, BUDGET_SHARE)
    // The path shows its end by a queue: half of what we let it have, or on a fast one, where nothing is held back, all.
    const isHeld =
      reading.isLate ||
      (this.isFast ? roundTripMs > ownMs : reading.isHeld && 2 * roundTripMs > leastRoundTripMs + ownMs)
    const since = now - this.#readAt
    if (since > 0) {
      const rate = (reading.ackedOctets - this.#acked) / since
      const isSought = !this.#isKnown && !this.isFast && leastRoundTripMs >= BUDGET_MS
      if (rate > this.rate * GROWING) this.#flat = 0
      else this.#flat = reading.isHeld ? this.#flat + 1 : 0
      // Less than before says something of the path only while there was something to send all the time.
      if (rate > this.rate) this.rate = isSought ? Math.min(rate, 2 * this.rate) : (this.rate + rate) / 2
      else if (isSought ? this.#flat >= FLAT_READINGS : isHeld && this.#wasHeld) {
        this.rate = Math.max(LEAST_RATE, this.rate + (rate - this.rate) / 4)
        this.#isKnown = true
      }
    }
    if (this.#isKnown) this.#budgetShare = Math.max(BUDGET_SHARE, this.#budgetShare * BUDGET_SHRINKS)
    this.#acked = reading.ackedOctets
    this.#readAt = now
    this.#wasHeld = isHeld
    const isHeldTo = reading.flightOctets <= this.limit + 2 * this.piece
    this.#crowd.read({ isHeld: reading.isHeld, roundTripMs, ownMs, isHeldTo, rate: this.rate }, now)
    this.congestion = leastRoundTripMs < NEAR_MS ? 'cubic' : 'bbr'
    this.#settle(leastRoundTripMs)
  }

  #settle(leastRoundTripMs: number): void {
    if (this.isControlled) this.isFast = this.rate >= (this.isFast ? NOT_FAST : FAST)
    const { rate } = this
    const budgetMs = budgetOf(leastRoundTripMs, this.#budgetShare)
    this.piece = Math.max(FULL_FRAME, rate * PIECE_MS)
    this.limit = this.isCrowded
      ? CROWD_PIECES * this.piece
      : EXTRA_FLIGHT + rate * (leastRoundTripMs + budgetMs) - this.piece // which is written below it
    const mostQueue = between(MOST_QUEUE, rate * leastRoundTripMs, MOST_FAR_QUEUE)
    // Nothing is lost or cut for a rate that is only a guess.
    this.queueLimit = this.#isKnown ? between(LEAST_QUEUE, rate * QUEUE_MS, mostQueue) : mostQueue
    this.longest = this.#isKnown ? Math.max(FULL_FRAME, rate * LONGEST_MS) : Infinity
    this.targetMs = this.#isKnown ? Math.max(CODEL_TARGET_MS, (1.5 * FULL_FRAME) / rate) : Infinity
  }
}

const budgetOf = (roundTripMs: number, share: number): number => Math.max(BUDGET_MS, roundTripMs * share)

const between = (least: number, value: number, most: number): number => Math.max(least, Math.min(value, most))
