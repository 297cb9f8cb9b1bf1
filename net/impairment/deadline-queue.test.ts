import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { DeadlineQueue, MAX_WAITING_FRAMES, MAX_WAITING_OCTETS } from '#net/impairment/deadline-queue.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const START = 64
const CHUNK = 1 << 18
const memory = FrameMemory.native(70_000)
let queue = new DeadlineQueue()

afterEach(() => {
  queue.free()
  queue = new DeadlineQueue()
})

/** Adds a frame that is full of one octet. */
function add(fill: number, deadline: number, length = 60, bit = -1): boolean {
  memory.bytes.fill(fill, START, START + length)
  return queue.add(memory, START, START + length, { deliverAt: deadline, bit })
}

/** Takes all that is due. @returns first octet and length of each */
function due(now: number): number[][] {
  const taken: number[][] = []
  while (queue.size > 0 && queue.deadline <= now) {
    queue.take()
    const octets = queue.memory?.bytes.slice(queue.start, queue.end) ?? new Uint8Array()
    expect(octets.every((octet) => octet === octets[0])).toBe(true)
    taken.push([octets[0] ?? -1, octets.length])
  }
  queue.recycle()
  return taken
}

describe('DeadlineQueue', () => {
  it('gives frames in the order of their deadlines, equal ones as they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(20), fc.nat(255), fc.integer({ min: 14, max: 9000 })), { maxLength: 300 }),
        fc.array(fc.nat(25), { maxLength: 10 }),
        (frames, times) => {
          queue.free()
          queue = new DeadlineQueue()
          let model: { deadline: number; fill: number; length: number }[] = []
          for (const [deadline, fill, length] of frames) {
            expect(add(fill, deadline, length)).toBe(true)
            model.push({ deadline, fill, length })
          }
          for (const now of [...times, 25]) {
            const wanted = model
              .filter(({ deadline }) => deadline <= now)
              .sort((a, b) => a.deadline - b.deadline)
              .map(({ fill, length }) => [fill, length])
            expect(due(now)).toEqual(wanted)
            model = model.filter(({ deadline }) => deadline > now)
            expect(queue.size).toBe(model.length)
            expect(queue.deadline).toBe(Math.min(Infinity, ...model.map(({ deadline }) => deadline)))
          }
        },
      ),
    )
  })

  it('turns one bit of the copy, which nobody has checked then', () => {
    memory.bytes.fill(2, START - 10, START)
    add(0xff, 1, 60, 8 * 3 + 1)
    queue.take()
    const b = queue.memory?.bytes ?? new Uint8Array()
    expect(b.slice(queue.start, queue.start + 5)).toEqual(Uint8Array.of(255, 255, 255, 0xbf, 255))
    expect(b.slice(queue.start - 10, queue.start)).toEqual(new Uint8Array(10))
    expect(memory.bytes[START + 3]).toBe(0xff)
  })

  it('is bounded in frames', () => {
    for (let i = 0; i < MAX_WAITING_FRAMES; i++) add(1, i % 100, 14)
    expect(add(1, 0, 14)).toBe(false)
    expect(queue.size).toBe(MAX_WAITING_FRAMES)
    expect(due(100).length).toBe(MAX_WAITING_FRAMES)
  })

  it('is bounded in octets, and gives memory back', () => {
    let added = 0
    while (add(7, added, 9000)) added++
    expect(queue.octets).toBe(MAX_WAITING_OCTETS)
    expect(added).toBeGreaterThan(1600)
    // What is left holds one chunk; another one is kept for what comes next.
    expect(due(added - 2).length).toBe(added - 1)
    expect(queue.octets).toBe(2 * CHUNK)
    expect(due(Infinity)).toEqual([[7, 9000]])
    expect(queue.octets).toBe(CHUNK)
    expect(add(1, 0)).toBe(true)
  })

  it('allocates nothing for a frame', () => {
    let now = 0
    const arrival = { deliverAt: 0, bit: -1 }
    const step = (): void => {
      now++
      arrival.deliverAt = now + 100
      queue.add(memory, START, START + 1514, arrival)
      while (queue.size > 0 && queue.deadline <= now) queue.take()
      queue.recycle()
    }
    expect(bytesPerCall(step)).toBeLessThan(8)
  })
})
