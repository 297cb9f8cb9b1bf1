import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeepReader, KeepRing } from '#net/capture/keep-ring.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { putU32le } from '#net/wire/octets.ts'

const SIZE = 96

/** A block of so many octets: type, length, number of the block. */
function add(ring: KeepRing, octets: number, number: number): boolean {
  const at = ring.add(octets)
  if (at < 0) return false
  putU32le(ring.memory.bytes, at, 6)
  putU32le(ring.memory.bytes, at + 4, octets)
  putU32le(ring.memory.bytes, at + 8, number)
  return true
}

/** Lengths and numbers of the blocks in what was read. */
function blocksOf(octets: Uint8Array): [length: number, number: number][] {
  const view = new DataView(octets.buffer)
  const blocks: [number, number][] = []
  for (let at = 0; at < octets.length; at += view.getUint32(at + 4, true))
    blocks.push([view.getUint32(at + 4, true), view.getUint32(at + 8, true)])
  return blocks
}

it('keeps the newest blocks whole, and tells each reader in order, with what it missed', () => {
  const lengths = fc.constantFrom(12, 16, 20, 24, SIZE + 4)
  const operation = fc.oneof(
    { weight: 3, arbitrary: lengths.map((octets) => ({ octets })) },
    fc.nat(64).map((most) => ({ most })),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const ring = new KeepRing(new FrameMemory(new Uint8Array(SIZE)))
      const early = new KeepReader(ring)
      const written: [number, number][] = []
      const read: [number, number][] = []
      const refused: number[] = []
      for (const one of operations) {
        if ('most' in one) read.push(...blocksOf(early.take(one.most)))
        else if (add(ring, one.octets, written.length)) written.push([one.octets, written.length])
        else if (one.octets <= SIZE) refused.push(one.octets)
      }
      const late = blocksOf(new KeepReader(ring).take(Infinity))
      read.push(...blocksOf(early.take(Infinity)))
      // What is kept is the end of all, and as much as fits: less only by a block, and what a lap wastes at its end.
      expect(late).toEqual(written.slice(written.length - late.length))
      const kept = late.reduce((sum, [length]) => sum + length, 0)
      expect(late.length === written.length || kept >= SIZE - 48).toBe(true)
      expect(read.map(([, number]) => number)).toEqual(
        [...new Set(read.map(([, number]) => number))].sort((a, b) => a - b),
      )
      expect(read.every(([length, number]) => written[number]?.[0] === length)).toBe(true)
      expect(read.length + early.missed).toBe(written.length)
      expect(early.hasMore()).toBe(false)
      expect(refused).toEqual([])
    }),
  )
})

it('gives every reader what a file begins with, once', () => {
  const ring = new KeepRing(new FrameMemory(new Uint8Array(SIZE)))
  ring.describe(Uint8Array.of(1, 2, 3, 4))
  const reader = new KeepReader(ring)
  add(ring, 12, 7)
  expect([...reader.take(100).subarray(0, 4)]).toEqual([1, 2, 3, 4])
  ring.describe(Uint8Array.of(5, 6, 7, 8))
  expect(reader.hasMore()).toBe(true)
  expect([...reader.take(100)]).toEqual([5, 6, 7, 8])
  expect(new KeepReader(ring).take(100).length).toBe(20)
})
