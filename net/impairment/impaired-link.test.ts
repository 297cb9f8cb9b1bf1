/** Links in virtual time, with the accounts of every frame. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ImpairedLink } from '#net/impairment/impaired-link.ts'
import { parseImpairment } from '#net/impairment/impairment-text.ts'
import { LinkSchedule } from '#net/impairment/link-schedule.ts'
import { dropReasonName } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { LinkEnd } from '#net/switch/frame-link.ts'
import { putPlain } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { impairmentText } from '#test/support/impairment-text.ts'

const START = 64

/** A clock, and an alarm that it rings. */
class Time {
  now = 0
  alarmAt = Infinity
  alarms = 0
  readonly schedule: LinkSchedule
  private onTime: () => void = () => {}

  constructor() {
    this.schedule = new LinkSchedule(
      () => this.now,
      (onTime) => {
        this.onTime = onTime
        return {
          set: (ms) => {
            this.alarmAt = this.now + ms
            this.alarms++
          },
          close: () => {
            this.alarmAt = Infinity
          },
        }
      },
    )
  }

  advance(to: number): void {
    while (this.alarmAt < Infinity && this.alarmAt <= to) {
      this.now = Math.max(this.now, this.alarmAt)
      this.alarmAt = Infinity
      this.onTime()
    }
    this.now = to
  }
}

interface Delivered {
  readonly at: number
  /** First octet of the payload: the number of the frame. */
  readonly frame: number
  readonly length: number
}

class Lab {
  readonly time = new Time()
  readonly delivered: Delivered[] = []
  readonly drops: Record<string, number> = {}
  flushes = 0
  readonly memory = FrameMemory.native(70_000)
  link: ImpairedLink

  constructor(text: string, end?: LinkEnd) {
    this.link = this.open(text, end)
  }

  open(text: string, end: LinkEnd = this.recorder()): ImpairedLink {
    const impairment = parseImpairment(text)
    if (impairment === null) throw new Error('no impairment')
    return new ImpairedLink({
      impairment: { ...impairment, seed: impairment.seed ?? 1 },
      stream: 0,
      schedule: this.time.schedule,
      end,
    })
  }

  private recorder(): LinkEnd {
    return {
      deliver: (memory, start, end) => {
        this.delivered.push({ at: this.time.now, frame: memory.bytes[start + 13] ?? -1, length: end - start })
      },
      flush: () => {
        this.flushes++
      },
      drop: (reason) => {
        const name = dropReasonName(reason)
        this.drops[name] = (this.drops[name] ?? 0) + 1
      },
    }
  }

  send(frame: number, length = 60): void {
    putPlain(this.memory.bytes, START)
    this.memory.bytes.fill(frame, START, START + length)
    this.link.enter(this.memory, START, START + length)
  }
}

describe('ImpairedLink', () => {
  it('delivers at the time, not before', () => {
    const lab = new Lab('delay=10.5ms')
    lab.send(1)
    lab.time.advance(3)
    lab.send(2)
    lab.time.advance(10.4)
    expect(lab.delivered).toEqual([])
    lab.time.advance(100)
    expect(lab.delivered).toEqual([
      { at: 10.5, frame: 1, length: 60 },
      { at: 13.5, frame: 2, length: 60 },
    ])
    expect(lab.time.alarms).toBe(2)
    expect(lab.flushes).toBe(2)
  })

  it('passes by reference what need not wait, unless others do', () => {
    const lab = new Lab('delay=5ms,reorder=100%,gap=2')
    lab.send(1)
    lab.send(2)
    expect(lab.delivered).toEqual([])
    lab.time.advance(0)
    expect(lab.delivered.map(({ frame }) => frame)).toEqual([2])
    lab.time.advance(5)
    lab.send(3)
    lab.time.advance(10)
    lab.send(4)
    expect(lab.delivered.map(({ frame }) => frame)).toEqual([2, 1, 3, 4])
  })

  it('counts what is lost, and what does not fit before the rate', () => {
    const lost = new Lab('loss=100%')
    for (let i = 0; i < 10; i++) lost.send(i)
    expect([lost.drops, lost.delivered]).toEqual([{ loss: 10 }, []])
    const slow = new Lab('rate=8mbit,limit=10000')
    for (let i = 0; i < 25; i++) slow.send(i, 1000)
    expect(slow.drops).toEqual({ rate: 15 })
    slow.time.advance(10.1)
    expect(slow.delivered.map(({ frame }) => frame)).toEqual(Array.from({ length: 10 }, (_, i) => i))
  })

  it('delivers at once what is under way when it is closed, in order', () => {
    const lab = new Lab('delay=10s')
    for (let i = 0; i < 100; i++) lab.send(i)
    lab.link.close()
    expect(lab.delivered.map(({ frame }) => frame)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    lab.time.advance(20_000)
    expect(lab.delivered.length).toBe(100)
  })

  it('shares one alarm with other links', () => {
    const lab = new Lab('delay=10ms')
    lab.send(1)
    lab.link = lab.open('delay=4ms')
    lab.send(2)
    lab.time.advance(50)
    expect(lab.delivered.map(({ at, frame }) => [at, frame])).toEqual([
      [4, 2],
      [10, 1],
    ])
  })

  it('loses no frame that is not counted, and holds little when nothing waits', () => {
    fc.assert(
      fc.property(
        impairmentText,
        fc.array(fc.tuple(fc.integer({ min: 14, max: 9216 }), fc.nat(20)), { minLength: 1, maxLength: 200 }),
        (text, frames) => {
          const lab = new Lab(text)
          for (const [length, wait] of frames) {
            lab.send(0, length)
            lab.time.advance(lab.time.now + wait)
          }
          const dropped = (): number => Object.values(lab.drops).reduce((sum, count) => sum + count, 0)
          const accounted = lab.delivered.length + lab.link.waiting + dropped()
          // Duplicates are all that comes to it.
          expect(accounted).toBeGreaterThanOrEqual(frames.length)
          expect(accounted).toBeLessThanOrEqual(frames.length * (text.includes('duplicate') ? 2 : 1))
          lab.time.advance(1e9)
          expect(lab.link.waiting).toBe(0)
          expect(lab.delivered.length + dropped()).toBe(accounted)
          expect(lab.link.octets).toBeLessThanOrEqual(1 << 18)
          lab.link.close()
          expect(lab.delivered.length + dropped()).toBe(accounted)
          lab.memory.free()
        },
      ),
    )
  })

  it('keeps the order of frames unless it is told not to', () => {
    const orderly = impairmentText.filter((text) => !/reorder|corrupt/.test(text))
    fc.assert(
      fc.property(orderly, fc.array(fc.nat(10), { maxLength: 200 }), (text, waits) => {
        const lab = new Lab(text)
        waits.forEach((wait, i) => {
          lab.send(i)
          lab.time.advance(lab.time.now + wait)
        })
        lab.time.advance(1e9)
        const order = lab.delivered.map(({ frame }) => frame)
        expect(order).toEqual([...order].sort((a, b) => a - b))
        lab.link.close()
        lab.memory.free()
      }),
    )
  })

  it('is bounded under a flood, which is counted', () => {
    const lab = new Lab('delay=60s')
    for (let i = 0; i < 20_000; i++) lab.send(1, 1514)
    expect(lab.link.octets).toBe(1 << 24)
    expect(lab.drops['queue-full']).toBe(20_000 - lab.link.waiting)
    expect(lab.link.waiting).toBeGreaterThan(10_000)
    lab.link.close()
  })

  it('allocates nothing for a frame', () => {
    let delivered = 0
    const lab = new Lab('delay=5ms,jitter=2ms,loss=1%,duplicate=1%,corrupt=1%,rate=1gbit', {
      deliver: () => {
        delivered++
      },
      flush: () => {},
      drop: () => {},
    })
    const { time, link, memory } = lab
    putPlain(memory.bytes, START)
    const step = (): void => {
      time.now++
      link.enter(memory, START, START + 1514)
      link.release(time.now)
    }
    expect(bytesPerCall(step)).toBeLessThan(8)
    expect(delivered).toBeGreaterThan(90_000)
    link.close()
  })
})
