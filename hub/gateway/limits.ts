/**
 * How many strangers may stand at the door: connections that have not authenticated, in all and per address.
 * Beyond, a connection is refused; who refuses tells once per second at most.
 */
export const MAX_UNAUTHENTICATED = 128
export const MAX_UNAUTHENTICATED_PER_ADDRESS = 32
export const MAX_CONNECTIONS = 1024
/** An SSH connection that has not authenticated by then is closed (sshd's LoginGraceTime). */
export const LOGIN_GRACE_MS = 30_000

const REPORT_EVERY_MS = 10_000

export class Door {
  readonly #waiting = new Map<string, number>()
  #waitingTotal = 0
  #inside = 0
  #refused = 0
  #reportAt = 0

  /** A connection from `address`: true when it may come in; `leave` or `admit` then follows. */
  enter(address: string): boolean {
    const here = this.#waiting.get(address) ?? 0
    if (
      this.#waitingTotal >= MAX_UNAUTHENTICATED ||
      here >= MAX_UNAUTHENTICATED_PER_ADDRESS ||
      this.#waitingTotal + this.#inside >= MAX_CONNECTIONS
    ) {
      this.#refused++
      return false
    }
    this.#waiting.set(address, here + 1)
    this.#waitingTotal++
    return true
  }

  /** The connection has authenticated. */
  admit(address: string): void {
    this.#takeWaiting(address)
    this.#inside++
  }

  /** The connection is gone. */
  leave(address: string, admitted: boolean): void {
    if (admitted) this.#inside--
    else this.#takeWaiting(address)
  }

  /** How many were refused since the last report, when a report is due; else 0. */
  refusedToReport(now: number): number {
    if (this.#refused === 0 || now < this.#reportAt) return 0
    const refused = this.#refused
    this.#refused = 0
    this.#reportAt = now + REPORT_EVERY_MS
    return refused
  }

  #takeWaiting(address: string): void {
    const left = (this.#waiting.get(address) ?? 1) - 1
    if (left === 0) this.#waiting.delete(address)
    else this.#waiting.set(address, left)
    this.#waitingTotal--
  }
}
