import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { FrameCopies } from '#net/switch/frame-copies.ts'

it('copies of frames from anywhere lie apart, each with its virtio header and room before it', () => {
  const memory = new FrameMemory(new Uint8Array(1 << 17))
  const frame = fc.tuple(fc.integer({ min: 10, max: 40 }), fc.integer({ min: 0, max: 3000 }))
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 60 }), fc.nat(3), (frames, offset) => {
      const source = new FrameMemory(new Uint8Array(4000 + offset).subarray(offset))
      const copies = new FrameCopies(memory)
      const made: { start: number; octets: Uint8Array }[] = []
      let last = 0
      for (const [i, [start, length]] of frames.entries()) {
        if (!copies.hasRoom(length)) break
        source.bytes.fill(i + 1)
        const to = copies.copy(source, start, start + length)
        expect(to - 18).toBeGreaterThanOrEqual(last)
        last = to + length
        made.push({ start: to, octets: source.bytes.slice(start - 10, start + length) })
      }
      expect(last).toBeLessThanOrEqual(memory.bytes.length)
      for (const { start, octets } of made) {
        expect(Buffer.compare(memory.bytes.subarray(start - 10, start - 10 + octets.length), octets)).toBe(0)
      }
    }),
  )
})

it('has room for the largest super-frame, or says that it needs more memory', () => {
  const copies = new FrameCopies(new FrameMemory(new Uint8Array(65_565 + 64)))
  expect(copies.hasRoom(65_565)).toBe(true)
  expect(() => new FrameCopies(new FrameMemory(new Uint8Array(65_565)))).toThrow(RangeError)
})
