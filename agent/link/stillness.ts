/**
 * Finds out afterwards that nothing has run: the machine slept, which the clock of `performance.now()` leaves out and
 * the time since the system's start does not; or this process stood still (SIGSTOP, a debugger, a paused virtual machine).
 */

/** How often `tick` is to be called. */
export const TICK_MS = 1_000
/** A tick that is less late says nothing: the machine may be busy. */
const LATE_MS = 2_000

export class Stillness {
  #monotonicMs: number
  #uptimeMs: number

  constructor(monotonicMs: number, uptimeMs: number) {
    this.#monotonicMs = monotonicMs
    this.#uptimeMs = uptimeMs
  }

  /** @returns for how long nothing ran, in ms; 0: it is as it should be */
  tick(monotonicMs: number, uptimeMs: number): number {
    const passed = Math.max(monotonicMs - this.#monotonicMs, uptimeMs - this.#uptimeMs)
    this.#monotonicMs = monotonicMs
    this.#uptimeMs = uptimeMs
    const late = passed - TICK_MS
    return late >= LATE_MS ? late : 0
  }
}
