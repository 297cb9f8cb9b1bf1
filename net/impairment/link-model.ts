/**
 * What one direction of an impaired link does to each frame that is offered to it. Pure: time is an argument, chance
 * comes from a seed. How it is asked, for every frame:
 *
 *   arrivals()                 0: lost, 1, or 2: duplicated
 *   schedule(octets, now)      for each arrival; false: the queue before the rate limit is full
 *     deliverAt, bit           when it is there, and which bit is turned
 *
 * In the order of a real link: lost at its beginning or not; then the rate, one frame after the other, with the queue
 * before it; then the delay. What is drawn from the random numbers never depends on time, so that the same seed and the
 * same frames are the same losses, duplicates, bits and delays. Times are milliseconds. Nothing is allocated.
 */
import { DEFAULT_LIMIT_MS, type Impairment, LEAST_LIMIT_OCTETS } from '#net/impairment/impairment.ts'
import { Random } from '#net/impairment/random.ts'

export class LinkModel {
  /** When the frame that was scheduled last reaches the other end. */
  deliverAt = 0.5
  /** Which bit of it is turned, from 0; -1: none. */
  bit = -1
  private readonly settings: Impairment
  private readonly random: Random
  private readonly octetsPerMs: number
  private readonly limitOctets: number
  /** Of the frame at hand. */
  private delay = 0.5
  /** State of a link with bursts. */
  private isBad = false
  /** Frames since one skipped the delay. */
  private sinceReordered = 0
  /** Until when the frames before the rate limit take. */
  private busyUntil = 0.5
  /** When the last frame in order is there. */
  private lastArrival = 0.5

  /** @param stream  the directions of one link have the same seed, and a stream each */
  constructor(settings: Impairment, seed: number, stream: number) {
    this.settings = settings
    this.random = new Random(seed, stream)
    this.octetsPerMs = settings.rate / 8000
    this.limitOctets = limitOctets(settings, this.octetsPerMs)
    this.busyUntil = 0
    this.lastArrival = 0
  }

  arrivals(): number {
    if (this.isLost()) return 0
    const { duplicate } = this.settings
    return duplicate > 0 && this.random.chance(duplicate) ? 2 : 1
  }

  schedule(octets: number, now: number): boolean {
    const { corrupt, rate, overhead, reorder } = this.settings
    this.bit = corrupt > 0 && this.random.chance(corrupt) ? this.random.below(8 * octets) : -1
    const skipsDelay = this.skipsDelay()
    if (skipsDelay) this.delay = 0
    else this.drawDelay()
    const waits = Math.max(0, this.busyUntil - now)
    if (waits > 0 && waits * this.octetsPerMs + octets > this.limitOctets) return false
    const takes = rate > 0 ? (octets + overhead) / this.octetsPerMs : 0
    if (rate > 0) this.busyUntil = now + waits + takes
    let at = now + waits + takes + this.delay
    if (reorder !== 'jitter' && !skipsDelay) {
      if (at < this.lastArrival) at = this.lastArrival
      this.lastArrival = at
    }
    this.deliverAt = at
    return true
  }

  private isLost(): boolean {
    const { loss, burst } = this.settings
    if (burst === null) return loss > 0 && this.random.chance(loss)
    const isLost = this.random.chance(this.isBad ? burst.lossInBad : burst.lossInGood)
    if (this.random.chance(this.isBad ? burst.toGood : burst.toBad)) this.isBad = !this.isBad
    return isLost
  }

  private skipsDelay(): boolean {
    const { reorder, gap } = this.settings
    if (reorder === 0 || reorder === 'jitter') return false
    this.sinceReordered++
    if (this.sinceReordered < gap || !this.random.chance(reorder)) return false
    this.sinceReordered = 0
    return true
  }

  private drawDelay(): void {
    const { delayMs, jitterMs, distribution } = this.settings
    this.delay = delayMs
    if (jitterMs === 0) return
    if (distribution === 'normal') this.random.drawNormal()
    else this.random.drawUniform()
    this.delay = Math.max(0, delayMs + jitterMs * this.random.deviation)
  }
}

function limitOctets({ limit }: Impairment, octetsPerMs: number): number {
  if (limit === null) return Math.max(DEFAULT_LIMIT_MS * octetsPerMs, LEAST_LIMIT_OCTETS)
  return 'ms' in limit ? limit.ms * octetsPerMs : limit.octets
}
