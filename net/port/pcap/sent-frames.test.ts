import { describe, expect, it } from 'vitest'
import { SentFrames } from '#net/port/pcap/sent-frames.ts'

const frame = (seed: number): Uint8Array => Uint8Array.from({ length: 60 }, (_, i) => (i * 7 + seed) & 255)

describe('SentFrames', () => {
  it('recognises each frame that was sent once, in any order', () => {
    const sent = new SentFrames()
    for (let seed = 0; seed < 10; seed++) sent.add(frame(seed), 0, 60, 1000)
    for (const seed of [3, 0, 9]) {
      expect(sent.take(frame(seed), 0, 60, 1001)).toBe(true)
      expect(sent.take(frame(seed), 0, 60, 1001)).toBe(false)
    }
    expect(sent.take(frame(11), 0, 60, 1001)).toBe(false)
  })

  it('recognises as many echoes as frames that are alike were sent', () => {
    const sent = new SentFrames()
    sent.add(frame(1), 0, 60, 1000)
    sent.add(frame(1), 0, 60, 1000)
    expect([1, 2, 3].map(() => sent.take(frame(1), 0, 60, 1000))).toEqual([true, true, false])
  })

  it('looks at the octets of the frame alone, and at all of them', () => {
    const sent = new SentFrames()
    const memory = new Uint8Array(100).fill(0xa5)
    memory.set(frame(1), 20)
    sent.add(memory, 20, 80, 1000)
    for (const i of [0, 30, 59]) {
      const other = frame(1)
      other[i] = (other[i] ?? 0) ^ 1
      expect(sent.take(other, 0, 60, 1000)).toBe(false)
    }
    expect(sent.take(frame(1), 0, 59, 1000)).toBe(false)
    expect(sent.take(frame(1), 0, 60, 1000)).toBe(true)
  })

  it('forgets what is old, and the oldest when there are many', () => {
    const sent = new SentFrames()
    sent.add(frame(1), 0, 60, 1000)
    expect(sent.take(frame(1), 0, 60, 1501)).toBe(false)
    sent.add(frame(2), 0, 60, 2000)
    sent.add(frame(3), 0, 60, 2000)
    for (let i = 0; i < 1023; i++) sent.add(frame(4), 0, 60, 2000)
    expect(sent.take(frame(2), 0, 60, 2000)).toBe(false)
    expect(sent.take(frame(3), 0, 60, 2000)).toBe(true)
  })
})
