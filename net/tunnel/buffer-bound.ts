/**
 * Whether it is the socket buffers of a connection that bound its rate, and not the path: what is under way on the path,
 * its rate times its round trip, comes near to what the buffers hold, and stays there.
 *
 * Pure: the shell reads the connection now and then (agent/link/connections.ts).
 */

/**
 * Of the buffers: so much of them is octets under way. The rest are those that arrived and wait for their reader, and those
 * that are written and not sent yet.
 */
const SHARE = 0.4
/** In a row. */
const READINGS = 3

export class BufferBound {
  readonly #least: number
  #sent = Number.NaN
  #received = Number.NaN
  #readAt = Number.NaN
  #count = 0

  /** @param octets  that the buffers let be under way; Infinity: they bound nothing */
  constructor(octets: number) {
    this.#least = octets * SHARE
  }

  /**
   * @param sent  octets that the far side has acknowledged since the beginning
   * @param received  octets that have arrived
   * @param now  milliseconds, a round trip and more after the last reading
   */
  read(sent: number, received: number, roundTripMs: number, now: number): boolean {
    const octets = Math.max(sent - this.#sent, received - this.#received)
    const isNear = (octets / (now - this.#readAt)) * roundTripMs >= this.#least
    this.#count = isNear ? this.#count + 1 : 0
    this.#sent = sent
    this.#received = received
    this.#readAt = now
    return this.#count >= READINGS
  }
}
