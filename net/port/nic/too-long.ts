/** Frames that an interface does not send, as they are longer than its MTU lets: said now and then, not frame by frame. */
const ETHERNET = 14
const HOUR_MS = 3_600_000

export class TooLong {
  /** Octets of the longest one since it was last told. */
  #octets = 0
  #toldAt = -Infinity

  note(octets: number): void {
    if (octets > this.#octets) this.#octets = octets
  }

  /** @returns octets of the longest one, if there is one to tell of: the first at once, then once an hour at most; else 0 */
  take(now: number): number {
    const octets = this.#octets
    if (octets === 0 || now - this.#toldAt < HOUR_MS) return 0
    this.#octets = 0
    this.#toldAt = now
    return octets
  }
}

/** @param mtu  of the interface; @param octets  of a frame that did not pass, without FCS */
export const tooLongWarning = (name: string, mtu: number, octets: number): string =>
  `${name}: frames of up to ${octets} octets did not pass to the LAN, as with its MTU of ${mtu} frames over ` +
  `${mtu + ETHERNET} octets do not; raise its MTU to ${octets - ETHERNET} (hconnect --mtu, of a hub's port mtu=), and ` +
  'that of the switch behind it, or lower the MTU of the machines that send them'
