/**
 * Storm control: how many broadcast and multicast frames a port may send into a bridge in each second of the switch's
 * clock. Frames to unknown addresses are not counted: their flood ends when somebody answers.
 */
import { ConfigError } from '#net/base/errors.ts'
import { DROP_STORM } from '#net/port/counters.ts'
import { wireFrames } from '#net/port/wire-count.ts'
import { u8 } from '#net/wire/octets.ts'

const MOST = 10_000_000

/** Frames a second, null: off. @throws ConfigError */
export function parseStorm(text: string): number | null {
  if (text === 'off') return null
  const rate = Number(text)
  if (/^\d{1,8}$/.test(text) && rate >= 1 && rate <= MOST) return rate
  throw new ConfigError(`storm=${text} is not valid: it is 1 to ${MOST} frames a second, or off`)
}

export class Storm {
  private readonly rate: number
  /** Frames that may still come in this second. */
  private left: number

  constructor(rate: number) {
    this.rate = rate
    this.left = rate
  }

  /** @returns DROP_STORM for a group frame beyond the rate, else -1 */
  check(b: Uint8Array, start: number, end: number): number {
    if ((u8(b, start) & 1) === 0) return -1
    const frames = wireFrames(b, start, end)
    if (frames > this.left) return DROP_STORM
    this.left -= frames
    return -1
  }

  /** A second has begun. */
  tick(): void {
    this.left = this.rate
  }
}
