/**
 * CoDel (RFC 8289): drops from queues whose frames keep waiting too long, more often the longer that lasts. The state of
 * a numbered set of flows, each with a queue of its own; time in ms of a clock that never goes back.
 *
 * The owner asks for each frame that it takes from the head of a flow's queue. Where RFC 8289 §5.5 fetches the next frame
 * inside its loop, `mustDrop` is asked again with that frame; the frames dropped are the same.
 */
import { float64 } from '#net/wire/octets.ts'

/** Time in which senders answer a drop: a long round trip (RFC 8289 §3.1), ms. */
const INTERVAL_MS = 100
/** Intervals after which a flow's drop rate is forgotten (RFC 8289 §5.5). */
const MEMORY = 16

const CALM = 0
const DROPPING = 1
const JUST_DROPPED = 2

export class Codel {
  intervalMs = 0.5
  /** When a flow whose frames are late is to be acted on; 0: they are not. */
  readonly #due: Float64Array
  readonly #nextDrop: Float64Array
  /** Drops since the flow is in the dropping state. Doubles, as a flood may count beyond 2^31. */
  readonly #count: Float64Array
  readonly #lastCount: Float64Array
  /** CALM, DROPPING or JUST_DROPPED. */
  readonly #state: Uint8Array

  constructor(flows: number) {
    this.#due = new Float64Array(flows)
    this.#nextDrop = new Float64Array(flows)
    this.#count = new Float64Array(flows)
    this.#lastCount = new Float64Array(flows)
    this.#state = new Uint8Array(flows)
    // Started as a double (0.5), so that it is one representation whatever it is set to.
    this.intervalMs = INTERVAL_MS
  }

  /**
   * Says whether the frame just taken from the flow's queue is to be dropped, or marked instead.
   * @param isLate  it waited for the target time or longer, and more than a longest frame waits behind it
   */
  mustDrop(flow: number, isLate: boolean, now: number): boolean {
    const isDue = this.#isDue(flow, isLate, now)
    const state = this.#state[flow]
    if (state === CALM) {
      if (isDue) this.#startDropping(flow, now)
      return isDue
    }
    if (!isDue) {
      this.#state[flow] = CALM
      return false
    }
    // Put off to here: after a drop that was enough for now, there is no next one.
    if (state === JUST_DROPPED) this.#putOffNextDrop(flow)
    const drops = now >= float64(this.#nextDrop, flow)
    if (drops) this.#count[flow] = float64(this.#count, flow) + 1
    this.#state[flow] = drops ? JUST_DROPPED : DROPPING
    return drops
  }

  /** The flow's queue has become empty without `mustDrop`. */
  emptied(flow: number): void {
    this.#due[flow] = 0
    this.#state[flow] = CALM
  }

  /** True when the flow's frames have been late for an interval. */
  #isDue(flow: number, isLate: boolean, now: number): boolean {
    if (!isLate) {
      this.#due[flow] = 0
      return false
    }
    const due = float64(this.#due, flow)
    if (due === 0) this.#due[flow] = now + this.intervalMs
    return due !== 0 && now >= due
  }

  /** Begins at the rate that held the queue last time, if that was a short while ago. */
  #startDropping(flow: number, now: number): void {
    const since = float64(this.#count, flow) - float64(this.#lastCount, flow)
    const isRecent = now - float64(this.#nextDrop, flow) < MEMORY * this.intervalMs
    const count = since > 1 && isRecent ? since : 1
    this.#state[flow] = DROPPING
    this.#count[flow] = count
    this.#lastCount[flow] = count
    this.#nextDrop[flow] = now
    this.#putOffNextDrop(flow)
  }

  /** The control law (RFC 8289 §3.3). */
  #putOffNextDrop(flow: number): void {
    const pause = this.intervalMs / Math.sqrt(float64(this.#count, flow))
    this.#nextDrop[flow] = float64(this.#nextDrop, flow) + pause
  }
}
