import { expect, it } from 'vitest'
import { Output } from '#hub/gateway/output.ts'

it('hands over what was written, in order, and never writes to it again', () => {
  const given: Buffer[] = []
  const copies: Buffer[] = []
  const output = new Output((octets) => {
    given.push(octets)
    copies.push(Buffer.from(octets))
  })
  const written: Buffer[] = []
  for (let i = 0; i < 500; i++) {
    const size = (i * 37) % 1500
    const at = output.reserve(size)
    output.octets.fill(i, at, at + size)
    written.push(Buffer.alloc(size, i))
    if (i % 7 === 0) output.flush()
  }
  output.flush()
  output.flush()
  expect(Buffer.concat(copies).equals(Buffer.concat(written))).toBe(true)
  expect(given.every((octets, i) => octets.equals(copies[i] ?? octets))).toBe(true)
  expect(given.every(({ length }) => length > 0)).toBe(true)
})

it('takes up to a whole block at once', () => {
  const sizes: number[] = []
  const output = new Output((octets) => sizes.push(octets.length))
  output.reserve(1)
  expect(output.reserve(65_536)).toBe(0)
  output.flush()
  expect(sizes).toEqual([1, 65_536])
})
