/**
 * Frames just sent, by hash: where capturing cannot leave out what was sent, each echo of one is recognised once.
 * A frame of another host that is the same octet by octet passes for the echo, and the echo then for it.
 */
import { float64, int32, u8 } from '#net/wire/octets.ts'

/** Frames that are remembered, a power of two, and for how long. */
const SLOTS = 1024
const LIFETIME_MS = 500

export class SentFrames {
  readonly #hashes = new Int32Array(SLOTS)
  /** When sent; 0: recognised, or never used. */
  readonly #times = new Float64Array(SLOTS)
  #next = 0

  /** `b[start, end)` was sent. @param now  milliseconds, above 0 */
  add(b: Uint8Array, start: number, end: number, now: number): void {
    this.#hashes[this.#next] = hash(b, start, end)
    this.#times[this.#next] = now
    this.#next = (this.#next + 1) % SLOTS
  }

  /** Whether `b[start, end)` is the echo of a frame that was sent; true once for each. */
  take(b: Uint8Array, start: number, end: number, now: number): boolean {
    const wanted = hash(b, start, end)
    // Echoes come in the order of sending: the oldest that fits.
    for (let n = 0; n < SLOTS; n++) {
      const i = (this.#next + n) % SLOTS
      const time = float64(this.#times, i)
      if (time === 0 || now - time > LIFETIME_MS || int32(this.#hashes, i) !== wanted) continue
      this.#times[i] = 0
      return true
    }
    return false
  }
}

/** FNV-1a, 32 bits. */
function hash(b: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5 | 0
  for (let i = start; i < end; i++) h = Math.imul(h ^ u8(b, i), 0x01000193)
  return h
}
