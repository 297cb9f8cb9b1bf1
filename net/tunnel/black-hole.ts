/**
 * A path that loses large packets and tells nobody, while small ones pass ("black hole", RFC 2923 §2.1): a link on it has
 * a smaller MTU, and the ICMP message that says so is filtered. TCP then sends the same segment again and again; the SSH
 * connection stands in the key exchange or at the first large frame.
 *
 * A path that has failed altogether looks the same but for one thing: nothing comes back at all. Where the stall begins
 * before the keys are exchanged, nothing small is under way that could; but TCP has just connected there.
 *
 * Pure: the shell reads the connection (agent/way/path-watch.ts).
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
const SENDING_MS = 1800
const RETRANSMITS = 3
/** The hub sends a PING every 2 s. */
const RECEIVING_MS = 3000
/** The acknowledgement came so long after the stall began: it is of something sent since. */
const LATER_MS = 500
/** Acknowledged when both sides have said what SSH they speak, and nothing more. */
const GREETING_OCTETS = 256

export class BlackHole {
  #acked = 0
  #ackedAt = Number.NaN
  #received = 0
  #receivedAt = Number.NaN
  #outOfOrder = 0
  /** `#outOfOrder` before what arrived last. */
  #outOfOrderBefore = 0

  /** @returns large packets are lost, one way or the other, and small ones pass */
  read(reading: StallReading, now: number): boolean {
    const { unacked, retransmits, ackedOctets, receivedOctets, outOfOrder, lastAckMs } = reading
    if (unacked === 0 || ackedOctets !== this.#acked || Number.isNaN(this.#ackedAt)) this.#ackedAt = now
    if (receivedOctets !== this.#received || Number.isNaN(this.#receivedAt)) {
      this.#receivedAt = now
      // What came behind the lost one came at once.
      this.#outOfOrderBefore = this.#outOfOrder
    }
    this.#acked = ackedOctets
    this.#received = receivedOctets
    this.#outOfOrder = outOfOrder
    const sendingMs = now - this.#ackedAt
    const receivingMs = now - this.#receivedAt
    if (retransmits >= RETRANSMITS && sendingMs >= SENDING_MS)
      return ackedOctets < GREETING_OCTETS || lastAckMs < sendingMs - LATER_MS
    return (
      outOfOrder !== this.#outOfOrderBefore &&
      receivingMs >= RECEIVING_MS &&
      lastAckMs < receivingMs - LATER_MS
    )
  }
}
