import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ring } from '#net/capture/ring.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'

const SIZE = 64

/** A ring whose writer counts on from octet to octet. */
class Tried {
  readonly ring = new Ring(new FrameMemory(new Uint8Array(SIZE)))
  readonly written: number[] = []
  readonly read: number[] = []
  /** What went against the ring's word. */
  readonly faults: string[] = []

  add(octets: number): void {
    const { ring, written, read, faults } = this
    const hadRoom = ring.hasRoom(octets)
    const at = ring.add(octets)
    if (hadRoom !== at >= 0) faults.push(`room for ${octets}: ${hadRoom}, then ${at}`)
    if (at < 0 && written.length === read.length && octets <= SIZE)
      faults.push(`${octets} do not fit in nothing`)
    if (at < 0) return
    if (at + octets > SIZE) faults.push(`${octets} at ${at}`)
    for (let i = 0; i < octets; i++) {
      ring.memory.bytes[at + i] = written.length & 0xff
      written.push(written.length & 0xff)
    }
  }

  take(most: number): void {
    const { ring, written, read } = this
    const octets = Math.min(most, ring.waiting)
    read.push(...ring.memory.bytes.subarray(ring.head, ring.head + octets))
    ring.read(octets)
    if (ring.waiting > 0 !== written.length > read.length) this.faults.push(`${ring.waiting} wait`)
  }
}

it('gives back in order what it took, and takes a block whenever one fits', () => {
  const operation = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: SIZE + 4 }))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const tried = new Tried()
      for (const [isAdd, octets] of operations) {
        if (isAdd) tried.add(octets)
        else tried.take(octets)
      }
      while (tried.ring.waiting > 0) tried.take(SIZE)
      expect(tried.read).toEqual(tried.written)
      expect(tried.faults).toEqual([])
    }),
  )
})
