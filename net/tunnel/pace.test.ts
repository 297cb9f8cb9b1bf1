import { describe, expect, it } from 'vitest'
import { Pace, type PathReading } from '#net/tunnel/pace.ts'

/** A bottleneck with a deep buffer: takes octets at its rate, gives them back as acknowledged a round trip later. */
class Path implements PathReading {
  ackedOctets = 0
  flightOctets = 0
  isHeld = false
  isLate = false
  roundTripMs: number
  readonly leastRoundTripMs: number
  /** Octets a millisecond. */
  rate: number
  /** Of others, in the buffer. */
  foreign = 0
  #queue = 0
  readonly #onWire: { at: number; octets: number }[] = []

  constructor(rate: number, leastRoundTripMs: number) {
    this.rate = rate
    this.leastRoundTripMs = leastRoundTripMs
    this.roundTripMs = leastRoundTripMs
  }

  /** Of ours, in the buffer. */
  get waiting(): number {
    return this.#queue
  }

  /** What waits before the link, ms. */
  get queueMs(): number {
    return (this.#queue + this.foreign) / this.rate
  }

  write(octets: number): void {
    this.#queue += octets
    this.flightOctets += octets
  }

  /** One millisecond. Others take their part of the link by what they have in the buffer. */
  step(now: number): void {
    this.roundTripMs += (this.leastRoundTripMs + this.queueMs - this.roundTripMs) / 8
    const all = this.#queue + this.foreign
    const sent = all === 0 ? 0 : Math.min(this.#queue, (this.rate * this.#queue) / Math.max(all, this.rate))
    this.#queue -= sent
    this.#onWire.push({ at: now + this.leastRoundTripMs, octets: sent })
    for (let first = this.#onWire[0]; first && first.at <= now; first = this.#onWire[0]) {
      this.ackedOctets += first.octets
      this.flightOctets -= first.octets
      this.#onWire.shift()
    }
  }
}

interface Run {
  path: Path
  pace: Pace
  now: number
  readAt: number
}

const start = (mbps: number, leastRoundTripMs: number): Run => ({
  path: new Path((mbps * 1e6) / 8000, leastRoundTripMs),
  pace: new Pace(true),
  now: 0,
  readAt: 0,
})

/** Sends as much as `pace` lets, unless told to send `octets` a millisecond. @returns the queue of each millisecond */
function run(at: Run, ms: number, octets = Infinity): number[] {
  const queues: number[] = []
  const until = at.now + ms
  for (; at.now < until; at.now++) {
    const { path, pace } = at
    path.step(at.now)
    if (at.now - at.readAt >= 20) {
      at.readAt = at.now
      pace.read(path, at.now)
      path.isHeld = false
    }
    let left = octets
    // Where it has its way, TCP fills the buffer.
    const most = pace.isCrowded ? 20_000 : pace.limit
    while (left > 0 && path.flightOctets < most) {
      const piece = Math.min(pace.piece, left)
      path.write(piece)
      left -= piece
    }
    if (path.flightOctets >= pace.limit) path.isHeld = true
    queues.push(path.queueMs)
  }
  return queues
}

const mean = (list: number[]): number => list.reduce((sum, one) => sum + one, 0) / list.length

describe('Pace', () => {
  for (const [mbps, roundTripMs] of [
    [3, 1],
    [10, 1],
    [10, 50],
    [10, 200],
    [100, 1],
    [100, 20],
    [400, 5],
  ] as const) {
    it(`keeps a link of ${mbps} Mbit/s busy at ${roundTripMs} ms, and the buffer before it short`, () => {
      const at = start(mbps, roundTripMs)
      run(at, 10_000)
      const acked = at.path.ackedOctets
      const queues = run(at, 5000)
      expect(at.path.ackedOctets - acked).toBeGreaterThan(0.97 * 5000 * at.path.rate)
      expect(mean(queues)).toBeLessThan(Math.max(25, roundTripMs * 0.3))
      expect(Math.abs(at.pace.rate / at.path.rate - 1)).toBeLessThan(0.05)
      expect([at.pace.isCrowded, at.pace.isFast]).toEqual([false, false])
    })
  }

  it('follows a link that becomes slower, and faster again', () => {
    const at = start(50, 10)
    run(at, 5000)
    at.path.rate /= 10
    run(at, 3000)
    expect(mean(run(at, 1000))).toBeLessThan(40)
    at.path.rate *= 10
    run(at, 3000)
    expect(Math.abs(at.pace.rate / at.path.rate - 1)).toBeLessThan(0.05)
  })

  it('does not take the rate of a sender that has little to send for that of the path', () => {
    const at = start(100, 10)
    run(at, 5000)
    for (const octets of [100, at.path.rate * 0.6]) {
      run(at, 5000, octets)
      expect(at.pace.rate).toBeGreaterThan(0.9 * at.path.rate)
    }
  })

  it('comes to an equal part of a link that tunnels share, whenever each began', () => {
    const all = Array.from({ length: 8 }, () => start(10, 1))
    const acked: number[] = []
    for (let ms = 0; ms < 30_000; ms++) {
      const begun = all.filter((_, i) => ms >= i * 500)
      const total = begun.reduce((sum, { path }) => sum + path.waiting, 0)
      for (const at of all) at.path.foreign = total - at.path.waiting
      for (const at of all) run(at, 1, begun.includes(at) ? Infinity : 0)
      if (ms === 20_000) acked.push(...all.map(({ path }) => path.ackedOctets))
    }
    const parts = all.map(({ path }, i) => path.ackedOctets - (acked[i] ?? 0))
    const sum = parts.reduce((a, b) => a + b, 0)
    expect(sum ** 2 / (8 * parts.reduce((a, b) => a + b * b, 0))).toBeGreaterThan(0.98) // Jain's index
    expect(sum).toBeGreaterThan(0.95 * 10_000 * 1250)
    expect(all[0]?.path.queueMs).toBeLessThan(60)
    expect(all.some(({ pace }) => pace.isCrowded)).toBe(false)
  })

  it('needs no control on a fast path, and says so within a second', () => {
    const at = start(3000, 1)
    expect(at.pace.isFast).toBe(false)
    run(at, 1000)
    expect(at.pace.isFast).toBe(true)
    at.path.rate /= 100
    run(at, 1000)
    expect(at.pace.isFast).toBe(false)
  })

  it('stays fast while there is little to send, and notices a slow path by its queue, with nothing held back', () => {
    const pace = new Pace(true)
    const reading = {
      ackedOctets: 0,
      flightOctets: 0,
      isHeld: false,
      isLate: false,
      roundTripMs: 1,
      leastRoundTripMs: 1,
    }
    let now = 0
    const read = (rate: number, roundTripMs: number, times: number): void => {
      for (let i = 0; i < times; i++) {
        reading.ackedOctets += rate * 20
        pace.read({ ...reading, roundTripMs }, (now += 20))
      }
    }
    read(300_000, 1, 20)
    expect(pace.isFast).toBe(true)
    read(1000, 2, 500)
    expect(pace.isFast).toBe(true)
    read(1000, 60, 20)
    expect(pace.isFast).toBe(false)
  })

  it('leaves TCP its way while others fill the buffer, and looks again when they may have gone', () => {
    const at = start(10, 10)
    run(at, 5000)
    at.path.foreign = 200 * at.path.rate
    run(at, 3500)
    expect(at.pace.isCrowded).toBe(true)
    expect(at.pace.limit).toBe(2 * at.pace.piece)
    at.path.foreign = 0
    run(at, 14_000)
    expect(at.pace.isCrowded).toBe(false)
    expect(mean(run(at, 1000))).toBeLessThan(30)
  })

  it('takes a queue that is its own for none of others, also on a link where few segments fill it', () => {
    const at = start(0.5, 1)
    run(at, 20_000)
    expect(at.pace.isCrowded).toBe(false)
    expect(mean(run(at, 5000))).toBeLessThan(150)
  })

  it('makes frames, queue and CoDel fit the rate', () => {
    const at = start(10, 1)
    run(at, 5000)
    const { pace } = at
    expect(pace.longest).toBeGreaterThan(5000)
    expect(pace.longest).toBeLessThan(7500)
    expect(pace.queueLimit).toBe(128 << 10)
    expect(pace.targetMs).toBe(5)
    const slow = start(1, 1)
    run(slow, 5000)
    expect(slow.pace.longest).toBe(1514)
    expect(slow.pace.targetMs).toBeGreaterThan(12)
  })

  it('chooses BBR for far paths only', () => {
    const near = start(10, 1)
    const far = start(10, 30)
    for (const at of [near, far]) run(at, 1000)
    expect([near.pace.congestion, far.pace.congestion]).toEqual(['cubic', 'bbr'])
  })

  it('finds the rate of a far path in two seconds, and makes a queue of two round trips for that, which is short after', () => {
    for (const mbps of [20, 200, 900]) {
      const at = start(mbps, 100)
      const queues = run(at, 2500)
      expect(at.pace.rate).toBeGreaterThan(0.7 * at.path.rate)
      expect(Math.max(...queues)).toBeLessThan(220)
      run(at, 2500)
      expect(mean(run(at, 1000))).toBeLessThan(35)
    }
  })

  it('takes two long round trips for no end of a far path, and three that bring no more for one', () => {
    const pace = new Pace(true)
    const reading = { flightOctets: 1e6, isHeld: true, isLate: false, leastRoundTripMs: 100 }
    let [now, acked] = [0, 0]
    const read = (rate: number, roundTripMs: number): void => {
      now += 100
      acked += 100 * rate
      pace.read({ ...reading, ackedOctets: acked, roundTripMs }, now)
    }
    for (const rate of [1250, 2500, 5000, 10_000]) read(rate, 100)
    expect(pace.rate).toBe(10_000)
    for (const roundTripMs of [300, 250]) read(1000, roundTripMs)
    expect([pace.rate, pace.targetMs]).toEqual([10_000, Infinity])
    read(20_000, 110)
    for (let i = 0; i < 3; i++) read(19_000, 130)
    expect(pace.rate).toBeLessThan(20_000)
    expect(pace.targetMs).toBe(5)
  })

  it('has less under way by and by when a far path has shown its end, and lets what a round trip brings wait', () => {
    const pace = new Pace(true)
    const reading = {
      flightOctets: 1e6,
      isHeld: true,
      isLate: false,
      roundTripMs: 130,
      leastRoundTripMs: 100,
    }
    let [now, acked] = [0, 0]
    const read = (rate: number): number => {
      now += 100
      acked += 100 * rate
      pace.read({ ...reading, ackedOctets: acked }, now)
      return pace.limit
    }
    for (const rate of [1250, 2500, 5000, 10_000, 20_000, 40_000]) read(rate)
    let before = pace.limit
    expect(before).toBeGreaterThan(2.5 * 40_000 * 100)
    for (let i = 0; i < 60; i++) {
      const limit = read(40_000)
      expect(limit).toBeGreaterThan(0.9 * before)
      before = limit
    }
    expect(before).toBeLessThan(1.3 * 40_000 * 100)
    expect(pace.queueLimit).toBe(3 << 20) // less than a round trip brings
  })

  it('controls nothing when bulk throughput is all that counts', () => {
    const pace = new Pace(false)
    const path = new Path(100, 50)
    for (let now = 0; now < 1000; now += 20) pace.read(path, now)
    expect(pace.isFast).toBe(true)
  })
})
