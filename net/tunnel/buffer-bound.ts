/**
 * Whether it is the socket buffers of a connection that bound its rate, and not the path: what is under way on the path,
 * its rate times its round trip, comes near to what the buffers hold, and stays there.
 *
 * Pure: the shell reads the connection now and then (agent/link/connections.ts).
 */

/** Octets that the buffers of one end let a connection have under way, from it and to it; Infinity: not known. */
export interface BufferLimits {
  readonly sendOctets: number
  readonly receiveOctets: number
}

/**
 * Of the buffers: so much of them is octets under way. The rest are those that arrived and wait for their reader, and those
 * that are written and not sent yet.
 */
const SHARE = 0.4
/** In a row. */
const READINGS = 3

export class BufferBound {
  /** Of what is sent, and of what is received. */
  readonly up: number
  readonly down: number
  #sent = Number.NaN
  #received = Number.NaN
  #readAt = Number.NaN
  #count = 0

  constructor(own: BufferLimits, peer: BufferLimits) {
    this.up = Math.min(own.sendOctets, peer.receiveOctets)
    this.down = Math.min(own.receiveOctets, peer.sendOctets)
  }

  /**
   * @param sent  octets that the far side has acknowledged since the beginning
   * @param received  octets that have arrived
   * @param now  milliseconds, a round trip and more after the last reading
   */
  read(sent: number, received: number, roundTripMs: number, now: number): boolean {
    const roundTrips = (now - this.#readAt) / roundTripMs
    const isNear =
      (sent - this.#sent) / roundTrips >= this.up * SHARE ||
      (received - this.#received) / roundTrips >= this.down * SHARE
    this.#count = isNear ? this.#count + 1 : 0
    this.#sent = sent
    this.#received = received
    this.#readAt = now
    return this.#count >= READINGS
  }
}
