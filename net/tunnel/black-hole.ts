/**
 * A path that loses large packets and tells nobody, while small ones pass ("black hole", RFC 2923 §2.1): a link on it has
 * a smaller MTU, and the ICMP message that says so is filtered. TCP then sends the same segment again and again; the SSH
 * connection stands in the key exchange or at the first large frame.
 *
 * A path that has failed altogether looks the same but for one thing: nothing comes back at all.
 *
 * Pure: the shell reads the connection (agent/path-watch.ts).
 */

export interface StallReading {
  /** Segments under way. */
  readonly unacked: number
  /** Times that the first of them was sent again. */
  readonly retransmits: number
  readonly ackedOctets: number
  /** That arrived in order, ... */
  readonly receivedOctets: number
  /** ... and segments that did not. */
  readonly outOfOrder: number
  /** Since anything that acknowledges came. */
  readonly lastAckMs: number
}

/** Below, loss may still be the reason: TCP has sent a segment again after 0.2, 0.6 and 1.4 s. */
const STALL_MS = 1800
const RETRANSMITS = 3
/** The acknowledgement came so long after the stall began: it is of something sent since. */
const LATER_MS = 500

export class BlackHole {
  #acked = 0
  #ackedAt = Number.NaN
  #received = 0
  #outOfOrder = 0
  #receivedAt = Number.NaN

  /** @returns large packets are lost, one way or the other, and small ones pass */
  read(reading: StallReading, now: number): boolean {
    const { unacked, retransmits, ackedOctets, receivedOctets, outOfOrder, lastAckMs } = reading
    if (unacked === 0 || ackedOctets !== this.#acked || Number.isNaN(this.#ackedAt)) this.#ackedAt = now
    if (receivedOctets !== this.#received || Number.isNaN(this.#receivedAt)) {
      this.#receivedAt = now
      this.#outOfOrder = outOfOrder
    }
    this.#acked = ackedOctets
    this.#received = receivedOctets
    const isHeard = (sinceMs: number): boolean => sinceMs >= STALL_MS && lastAckMs < sinceMs - LATER_MS
    return (
      (retransmits >= RETRANSMITS && isHeard(now - this.#ackedAt)) ||
      (outOfOrder !== this.#outOfOrder && isHeard(now - this.#receivedAt))
    )
  }
}
