import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Codel } from '#net/queue/codel.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const MTU = 1514

/** Times up to `until` at which a frame is dropped, when a late one leaves every ms. */
function drops(codel: Codel, until: number, from = 1, flow = 0): number[] {
  const times: number[] = []
  for (let now = from; now <= until; now++) {
    while (codel.mustDrop(flow, true, now)) times.push(now)
  }
  return times
}

describe('Codel.mustDrop', () => {
  it('drops when frames have been late for an interval, then at intervals divided by the root of the drops', () => {
    // 1 + 100, + 100, + 100 / sqrt 2 = 271.71, + 100 / sqrt 3 = 329.45, + 50 = 379.45, + 44.72 = 424.17,
    // + 40.82 = 464.99, + 37.80 = 502.79, each at the next whole ms.
    expect(drops(new Codel(1), 510)).toEqual([101, 201, 272, 330, 380, 425, 465, 503])
  })

  it('has its interval set', () => {
    const codel = new Codel(1)
    codel.intervalMs = 10
    // 1001 + 10, + 10, + 7.07 = 1028.07, + 5.77 = 1033.84, + 5 = 1038.84
    expect(drops(codel, 1040, 1001)).toEqual([1011, 1021, 1029, 1034, 1039])
  })

  it('forgives frames that are late for less than an interval', () => {
    const codel = new Codel(1)
    expect(drops(codel, 100)).toEqual([])
    expect(codel.mustDrop(0, false, 101)).toBe(false)
    expect(drops(codel, 201, 102)).toEqual([])
    expect(codel.mustDrop(0, true, 202)).toBe(true)
  })

  it('stops at once when a frame is not late', () => {
    const codel = new Codel(1)
    expect(drops(codel, 201)).toEqual([101, 201])
    expect(codel.mustDrop(0, false, 300)).toBe(false)
    expect(drops(codel, 400, 301)).toEqual([])
  })

  it('goes on at its last rate when frames are late again soon, else begins anew', () => {
    for (const [pause, expected] of [
      // 8 drops, 7 of them after the first: 100 / sqrt 7 = 37.8, 100 / sqrt 8 = 35.4.
      [100, [603 + 101, 603 + 139, 603 + 175]],
      [3000, [3503 + 101, 3503 + 201, 3503 + 272]],
    ] as const) {
      const codel = new Codel(1)
      drops(codel, 503)
      codel.mustDrop(0, false, 503)
      const from = 503 + pause + 1
      expect(drops(codel, from + 290, from).slice(0, 3)).toEqual(expected)
    }
  })

  it('makes up for drops that it could not make in time', () => {
    const codel = new Codel(1)
    expect(drops(codel, 101)).toEqual([101])
    // Due by then: 201, 271.7, 329.4, 379.4, 424.2.
    expect(drops(codel, 430, 430)).toEqual([430, 430, 430, 430, 430])
  })

  it('knows flows apart, and forgets the wait of one that was emptied', () => {
    const codel = new Codel(2)
    drops(codel, 100)
    expect(codel.mustDrop(1, true, 101)).toBe(false)
    expect(codel.mustDrop(0, true, 101)).toBe(true)
    codel.emptied(0)
    expect(drops(codel, 301, 202)).toEqual([])
    expect(drops(codel, 201, 201, 1)).toEqual([201])
  })

  it('drops and sends what the routines of RFC 8289 do', () => {
    const step = fc.record({
      wait: fc.oneof(
        fc.nat(96).map((n) => n / 8),
        fc.constantFrom(60, 400, 2500),
      ),
      arrivals: fc.nat(3),
      length: fc.constantFrom(60, 700, MTU),
      departures: fc.nat(3),
    })
    let dropped = 0
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 100, maxLength: 400, size: 'max' }),
        fc.integer({ min: 1, max: 40 }),
        (steps, target) => {
          const codel = new Codel(3)
          const reference = new Reference(target)
          const queue: Frame[] = []
          const log: string[] = []
          let [now, id] = [1, 0]
          for (const { wait, arrivals, length, departures } of steps) {
            now += wait
            for (let i = 0; i < arrivals; i++) {
              const frame = { id: id++, length, time: now }
              queue.push(frame)
              reference.queue.push(frame)
            }
            for (let i = 0; i < departures; i++) {
              reference.dequeue(now)
              for (let frame = queue.shift(); frame; frame = queue.shift()) {
                const left = queue.reduce((sum, { length: octets }) => sum + octets, 0)
                const drop = codel.mustDrop(1, now - frame.time >= target && left > MTU, now)
                log.push(`${drop ? 'drop' : 'send'} ${frame.id}`)
                if (!drop) break
              }
            }
          }
          expect(log).toEqual(reference.log)
          dropped += log.filter((line) => line.startsWith('drop')).length
        },
      ),
      { numRuns: 200 },
    )
    expect(dropped).toBeGreaterThan(1000)
  })

  it('allocates nothing', () => {
    const codel = new Codel(1)
    let [now, dropped] = [0, 0]
    const call = (): void => {
      now += 3
      if (codel.mustDrop(0, true, now)) dropped++
    }
    expect(bytesPerCall(call)).toBeLessThan(8)
    expect(dropped).toBeGreaterThan(1000)
  })
})

interface Frame {
  readonly id: number
  readonly length: number
  readonly time: number
}

/** The dequeue routine as RFC 8289 §5.5 words it, for one queue. */
class Reference {
  readonly queue: Frame[] = []
  readonly log: string[] = []
  private readonly target: number
  private firstAbove = 0
  private dropNext = 0
  private count = 0
  private lastCount = 0
  private dropping = false

  constructor(target: number) {
    this.target = target
  }

  dequeue(now: number): void {
    let [frame, mayDrop] = this.fetch(now)
    if (this.dropping) {
      if (!mayDrop) this.dropping = false
      while (this.dropping && frame && now >= this.dropNext) {
        this.log.push(`drop ${frame.id}`)
        this.count++
        ;[frame, mayDrop] = this.fetch(now)
        if (mayDrop) this.dropNext += 100 / Math.sqrt(this.count)
        else this.dropping = false
      }
    } else if (mayDrop && frame) {
      this.log.push(`drop ${frame.id}`)
      ;[frame] = this.fetch(now)
      this.dropping = true
      const delta = this.count - this.lastCount
      this.count = delta > 1 && now - this.dropNext < 1600 ? delta : 1
      this.dropNext = now + 100 / Math.sqrt(this.count)
      this.lastCount = this.count
    }
    if (frame) this.log.push(`send ${frame.id}`)
  }

  private fetch(now: number): [Frame | undefined, boolean] {
    const frame = this.queue.shift()
    const left = this.queue.reduce((sum, { length }) => sum + length, 0)
    if (!frame || now - frame.time < this.target || left <= MTU) {
      this.firstAbove = 0
      return [frame, false]
    }
    if (this.firstAbove === 0) {
      this.firstAbove = now + 100
      return [frame, false]
    }
    return [frame, now >= this.firstAbove]
  }
}
