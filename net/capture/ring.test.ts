import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ring } from '#net/capture/ring.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'

const SIZE = 64

it('gives back in order what it took, and takes a block whenever one fits', () => {
  const operation = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: SIZE + 4 }) }),
    fc.record({ read: fc.integer({ min: 1, max: SIZE }) }),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const ring = new Ring(new FrameMemory(new Uint8Array(SIZE)))
      const waiting: number[] = []
      let next = 0
      for (const step of operations) {
        if ('add' in step) {
          const hadRoom = ring.hasRoom(step.add)
          const at = ring.add(step.add)
          expect(at >= 0).toBe(hadRoom)
          if (at < 0) {
            // An empty ring takes all that is not larger than it.
            expect(waiting.length > 0 || step.add > SIZE).toBe(true)
            continue
          }
          expect(at + step.add).toBeLessThanOrEqual(SIZE)
          for (let i = 0; i < step.add; i++) {
            ring.memory.bytes[at + i] = next & 0xff
            waiting.push(next++ & 0xff)
          }
        } else {
          const octets = Math.min(step.read, ring.waiting)
          const read = ring.memory.bytes.slice(ring.head, ring.head + octets)
          expect([...read]).toEqual(waiting.splice(0, octets))
          ring.read(octets)
        }
        expect(ring.waiting > 0).toBe(waiting.length > 0)
      }
    }),
  )
})
