/**
 * Whether it is the socket buffers of a connection that bound its rate, and not the path: what is under way on the path,
 * its rate times its round trip, comes near to what the buffers hold, and stays there.
 *
 * Pure: the shell reads the connection now and then (agent/link/connections.ts).
 */

/**
 * Octets that the buffers of one end let a connection have under way, from it and to it; Infinity: as many as SSH does, or
 * it is not known.
 */
export interface BufferLimits {
  readonly sendOctets: number
  readonly receiveOctets: number
}

/** Of a send buffer: the rest of it is what is written and not sent yet, and what the kernel needs itself. */
const SEND_SHARE = 0.4
const RECEIVE_SHARE = 0.8
/** In a row. */
const READINGS = 3

export class BufferBound {
  /** Octets under way, to the far side and from it, from which on it is the buffers that bound. */
  readonly #up: number
  readonly #down: number
  #sent = Number.NaN
  #received = Number.NaN
  #readAt = Number.NaN
  #count = 0

  constructor(own: BufferLimits, peer: BufferLimits) {
    this.#up = Math.min(own.sendOctets * SEND_SHARE, peer.receiveOctets * RECEIVE_SHARE)
    this.#down = Math.min(own.receiveOctets * RECEIVE_SHARE, peer.sendOctets * SEND_SHARE)
  }

  /**
   * @param sent  octets that the far side has acknowledged since the beginning
   * @param received  octets that have arrived
   * @param now  milliseconds, a round trip and more after the last reading
   */
  read(sent: number, received: number, roundTripMs: number, now: number): boolean {
    const roundTrips = (now - this.#readAt) / roundTripMs
    const isNear =
      (sent - this.#sent) / roundTrips >= this.#up || (received - this.#received) / roundTrips >= this.#down
    this.#count = isNear ? this.#count + 1 : 0
    this.#sent = sent
    this.#received = received
    this.#readAt = now
    return this.#count >= READINGS
  }
}
