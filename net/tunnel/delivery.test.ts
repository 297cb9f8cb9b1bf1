import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Delivery } from '#net/tunnel/delivery.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const MIB = 1 << 20
const STEP_MS = 1

/** A far side behind a path that is short and takes everything. */
class Far {
  readonly delivery = new Delivery()
  readonly pathMs: number
  /** What TCP says of the path's round trip. */
  knownMs: number
  /** Octets a millisecond. */
  rate: number
  now = 0
  written = 0
  #read = 0
  readonly #pings: { time: number; behind: number; readAt?: number }[] = []

  constructor(rate: number, pathMs = 1) {
    this.rate = rate
    this.pathMs = this.knownMs = pathMs
    this.delivery.answered(-pathMs, 0, 0, 0) // the first keepalive
  }

  get unread(): number {
    return this.written - this.#read
  }

  get unansweredPings(): number {
    return this.#pings.length
  }

  /** Sends as much as it may, `most` octets a millisecond. @returns most that was unread in the last half of `ms` */
  run(ms: number, most = 10_000): number {
    const { delivery } = this
    let unread = 0
    for (const until = this.now + ms; this.now < until; this.now += STEP_MS) {
      for (let left = most; left > 0 && !delivery.isFull; left -= 1000) {
        this.written += 1000
        delivery.wrote(1000)
        if (!delivery.isDue(this.now)) continue
        delivery.mark(this.now)
        this.#pings.push({ time: this.now, behind: this.written })
      }
      this.#read = Math.min(this.written, this.#read + this.rate * STEP_MS)
      for (const ping of this.#pings)
        if (ping.readAt === undefined && ping.behind <= this.#read) ping.readAt = this.now
      for (let [first] = this.#pings; first?.readAt !== undefined; [first] = this.#pings) {
        if (this.now < first.readAt + this.pathMs) break
        this.#pings.shift()
        delivery.answered(first.time, this.now, this.knownMs, 0)
      }
      if (this.now > until - ms / 2) unread = Math.max(unread, this.unread)
    }
    return unread
  }
}

describe('Delivery', () => {
  it('leaves no more unread than is read within 100 ms, and keeps the far side busy', () => {
    for (const rate of [400, 1000, 3000])
      for (const pathMs of [1, 10, 40]) {
        const far = new Far(rate, pathMs)
        const unread = far.run(20_000)
        expect({ rate, pathMs, ms: unread / rate }).toSatisfy(({ ms }) => ms > 5 && ms < 100 + 3 * pathMs)
      }
  })

  it('holds nothing back from one that reads in time', () => {
    const far = new Far(20_000, 5)
    far.run(5000)
    expect(far.delivery.limit).toBe(2 * MIB)
  })

  it('takes nothing of what is under way on a far path when one answer is late', () => {
    const delivery = new Delivery()
    delivery.answered(-100, 0, 100, 0)
    delivery.wrote(1000) // says little of how fast the far side reads
    delivery.mark(0)
    expect(delivery.answered(0, 900, 100, 6e5)).toBe(true)
    expect(delivery.limit).toBe(6e5)
  })

  it('lets as much be unread on a far path as is under way there', () => {
    const far = new Far(60_000, 100)
    far.run(4000, 60_000)
    expect(far.delivery.limit).toBeGreaterThan(6 * MIB)
    expect(far.delivery.limit).toBeLessThanOrEqual(32 * MIB)
  })

  it('takes the time of a path for what it is where TCP does not know it, as behind a relay', () => {
    for (const pathMs of [45, 80, 200]) {
      const far = new Far(20_000, pathMs)
      far.knownMs = 0
      far.run(20_000, 8000)
      const before = far.written
      far.run(1000, 8000)
      expect({ pathMs, written: far.written - before }).toEqual({ pathMs, written: 1000 * 8000 })
    }
  })

  it('does not take a segment that TCP sent again for a far side that is slow', () => {
    const delivery = new Delivery()
    let now = 0
    for (let i = 0; i < 1000; i++) {
      delivery.wrote(20_000)
      delivery.mark((now += 20))
      // One in ten comes a round trip later.
      delivery.answered(now, now + (i % 10 === 0 ? 165 : 80), 80, 0)
    }
    expect(delivery.limit).toBe(2 * MIB)
  })

  it('learns that a path has become longer, in ten minutes at most', () => {
    const delivery = new Delivery()
    let now = 0
    const late = Array.from({ length: 700 }, (_, second) => {
      delivery.wrote(20_000)
      delivery.mark((now += 1000))
      return delivery.answered(now, now + (second < 10 ? 5 : 150), 0, 0)
    })
    expect(late.slice(0, 10)).not.toContain(true)
    expect(late.slice(10, 300)).not.toContain(false)
    expect(late.slice(611)).not.toContain(true)
  })

  it('gives room again when the far side has time again', () => {
    const far = new Far(400)
    far.run(5000)
    expect(far.delivery.limit).toBeLessThan(64 << 10)
    far.rate = 20_000
    far.run(1000)
    const before = far.written
    far.run(1000)
    expect(far.written - before).toBe(1000 * 10_000)
  })

  it('takes what nobody sent meanwhile for nothing that was read slowly', () => {
    const far = new Far(20_000)
    far.run(1000)
    far.run(60_000, 0)
    far.run(1000)
    expect(far.delivery.limit).toBe(2 * MIB)
  })

  it('is never full for a far side that does not answer pings, and sends it no more than 64', () => {
    const far = new Far(0)
    far.run(10_000, 1000)
    expect(far.written).toBe(10_000 * 1000)
    expect(far.unansweredPings).toBe(64)
  })

  it('pings no more often than every 10 ms, and behind 16 KiB', () => {
    const far = new Far(20_000)
    const counts = [10_000, 1000, 100].map((most) => {
      const before = far.now
      const marked = vi.spyOn(far.delivery, 'mark')
      far.run(1000, most)
      const pings = marked.mock.calls.length
      marked.mockRestore()
      return pings / (far.now - before)
    })
    expect(counts[0]).toBeLessThanOrEqual(0.101)
    expect(counts[1]).toBeLessThanOrEqual(1000 / 16_384 + 0.01)
  })

  it('is full only while an answer is under way, whatever is answered, and in whatever order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), value: fc.nat(100_000) }),
      fc.record({ kind: fc.constant('pass' as const), value: fc.nat(200) }),
      fc.record({
        kind: fc.constant('answer' as const),
        value: fc.oneof(fc.nat(10_000), fc.constantFrom(Number.NaN, Infinity, -Infinity, -1)),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const delivery = new Delivery()
        let now = 0
        let unanswered: number[] = []
        for (const { kind, value } of steps) {
          if (kind === 'pass') now += value
          else if (kind === 'answer') {
            delivery.answered(value, now, 1, 0)
            unanswered = unanswered.filter((time) => !(time <= value))
          } else if (!delivery.isFull) {
            delivery.wrote(value)
            if (delivery.isDue(now)) {
              delivery.mark(now)
              unanswered.push(now)
            }
          }
          expect(unanswered.length).toBeLessThanOrEqual(64)
          expect(delivery.isFull && unanswered.length === 0).toBe(false)
          expect(delivery.limit).toBeGreaterThanOrEqual(16 << 10)
          expect(delivery.limit).toBeLessThanOrEqual(2 * MIB)
        }
      }),
    )
  })

  it('allocates nothing for what is written', () => {
    const delivery = new Delivery()
    let now = 0
    const write = (): void => {
      delivery.wrote(100)
      if (delivery.isDue(++now)) delivery.mark(now)
      if (delivery.isFull) delivery.answered(now, now, 1, 0)
    }
    expect(bytesPerCall(write, 10_000)).toBeLessThan(1)
  })
})
