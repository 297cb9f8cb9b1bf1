/**
 * How far the other end of a tunnel has read. TCP acknowledges what lies in the far side's socket, up to megabytes that a
 * busy machine there has yet to read, and a frame behind them is late however short the path is. So a PING goes behind
 * what is written every now and then; its PONG tells that all before it was read, and when.
 *
 * An end that reads late is left with no more unread than it reads in a few milliseconds; the rest waits in the fair queue
 * here, where a quiet flow passes the others by.
 *
 * Pure: the shell writes the PINGs and hands in the PONGs (net/port/tunnel/channel-stream.ts).
 */
import { LeastTime } from '#net/tunnel/least-time.ts'
import { FIRST_WINDOW, MOST_WINDOW } from '#net/tunnel/receive-window.ts'
import { float64 } from '#net/wire/octets.ts'

const LEAST = 16 << 10
/** Read so much later than it arrived is late; and a round trip more, as TCP sends again what the path has lost. */
const LATE_MS = 50
/** From then on no more is left unread than takes so long. */
const AIM_MS = 30
/** While it takes less than half of what is late, and more is to be sent, it may be more by this share of what was read. */
const GROWTH = 0.5
/** A PING goes no sooner after the last one, and behind no less: it costs a packet each way. */
const MARK_EVERY_MS = 10
const MARK_EVERY = 16 << 10
/** PINGs that may be unanswered. */
const MARKS = 64

export class Delivery {
  /** Octets that may be written and not read. */
  limit = FIRST_WINDOW
  #written = 0
  #read = 0
  /** It answers PINGs: one that does not is left alone. */
  #answers = false
  /** Of an answer. Where TCP ends at a relay, or the system does not tell its round trip, it is all that is known. */
  readonly #least = new LeastTime()
  /** Something was held back for `limit` since the last answer. */
  #wasHeld = false
  /** Unanswered PINGs, oldest first: when they were sent, what was written before, and what was known to be read then. */
  readonly #times = new Float64Array(MARKS)
  readonly #positions = new Float64Array(MARKS)
  readonly #reads = new Float64Array(MARKS)
  #first = 0
  #count = 0
  #markedAt = -Infinity
  #marked = 0

  wrote(octets: number): void {
    this.#written += octets
  }

  /** Nothing is to be written before the next answer. Only while there will be one. */
  get isFull(): boolean {
    const isFull = this.#answers && this.#count > 0 && this.#isOver
    if (isFull) this.#wasHeld = true
    return isFull
  }

  /** A PING is to go behind what was written; `mark` is to be told. */
  isDue(now: number): boolean {
    const unmarked = this.#written - this.#marked
    if (unmarked <= 0 || this.#count === MARKS) return false
    if (this.#isOver && this.#count === 0) return true
    return now - this.#markedAt >= MARK_EVERY_MS && unmarked >= Math.min(MARK_EVERY, this.limit / 4)
  }

  get #isOver(): boolean {
    return this.#written - this.#read >= this.limit
  }

  /** A PING that carries `now` went behind what was written. */
  mark(now: number): void {
    const i = (this.#first + this.#count++) % MARKS
    this.#times[i] = now
    this.#positions[i] = this.#written
    this.#reads[i] = this.#read
    this.#markedAt = now
    this.#marked = this.#written
  }

  /**
   * The far side has read all before the PING that carried `time`: one that was marked, or any other.
   *
   * @param pathMs  the path's own round trip
   * @param pathOctets  what is under way on it, at its rate: with less, it is the sender that is slow
   * @returns it reads late
   */
  answered(time: number, now: number, pathMs: number, pathOctets: number): boolean {
    let last = -1
    for (; this.#count > 0 && float64(this.#times, this.#first) <= time; this.#count--) {
      last = this.#first
      this.#first = (last + 1) % MARKS
    }
    const soonest = Math.max(pathMs, this.#least.add(now - time, now))
    if (last < 0) return false // a keepalive
    this.#answers = true
    const took = now - float64(this.#times, last)
    const lateMs = took - soonest
    const isLate = lateMs > LATE_MS + soonest
    const position = float64(this.#positions, last)
    if (isLate) {
      const rate = (position - float64(this.#reads, last)) / took
      this.limit = Math.min(this.limit, Math.max(LEAST, pathOctets, rate * (soonest + AIM_MS)))
    } else if (this.#wasHeld && 2 * lateMs < LATE_MS + soonest)
      this.limit = Math.min(MOST_WINDOW, this.limit + (position - this.#read) * GROWTH)
    this.#read = position
    this.#wasHeld = false
    return isLate
  }
}
