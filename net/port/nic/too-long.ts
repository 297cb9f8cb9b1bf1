/** Frames that an interface does not send, as they are longer than its MTU lets: said now and then, not frame by frame. */
const ETHERNET = 14
const HOUR_MS = 3_600_000

export class TooLong {
  #toldAt = -Infinity

  /** To be asked when there is something to tell. @returns true the first time, then once an hour at most */
  isDue(now: number): boolean {
    if (now - this.#toldAt < HOUR_MS) return false
    this.#toldAt = now
    return true
  }
}

/** @param mtu  of the interface; @param octets  of a frame that did not pass, without FCS */
export const tooLongWarning = (name: string, mtu: number, octets: number): string =>
  `${name}: frames of up to ${octets} octets did not pass to the LAN, as with its MTU of ${mtu} frames over ` +
  `${mtu + ETHERNET} octets do not; raise its MTU to ${octets - ETHERNET} (hconnect --mtu, of a hub's port mtu=), and ` +
  'that of the switch behind it, or lower the MTU of the machines that send them'
