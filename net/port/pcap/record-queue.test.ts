import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { RecordQueue } from '#net/port/pcap/record-queue.ts'

let queue: RecordQueue
const memory = new FrameMemory(Uint8Array.from({ length: 200 }, (_, i) => i))

beforeEach(() => {
  queue = new RecordQueue(128)
})
afterEach(() => queue.free())

describe('RecordQueue', () => {
  it('gives whole records in the order in which they came, frames with their virtio header', () => {
    expect(queue.frame(memory, 50, 64)).toBe(true)
    expect(queue.control(0x80, Uint8Array.of(1, 2, 3))).toBe(true)
    expect(queue.octets).toBe(4 + 24 + 4 + 3)
    expect(queue.take()).toEqual(
      Buffer.from([1, 0, 0, 24, ...memory.bytes.subarray(40, 64), 0x80, 0, 0, 3, 1, 2, 3]),
    )
    expect(queue.octets).toBe(0)
    expect(queue.take().length).toBe(0)
  })

  it('leaves what was taken as it is while more comes', () => {
    queue.frame(memory, 50, 100)
    const taken = queue.take()
    const copy = Buffer.from(taken)
    queue.frame(memory, 60, 110)
    expect(taken).toEqual(copy)
  })

  it('takes as much as there is room for, and counts the frames that it took', () => {
    expect([1, 2, 3].map(() => queue.frame(memory, 50, 100))).toEqual([true, true, false])
    expect(queue.control(0x80, new Uint8Array(1))).toBe(false)
    expect(queue.frames).toBe(2)
    expect(queue.take().length).toBe(128)
    expect(queue.frame(memory, 50, 164)).toBe(true)
    queue.take()
    expect(queue.frame(memory, 50, 165)).toBe(false)
    expect(queue.frames).toBe(3)
  })
})
