import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksumOf, fold, pseudoHeaderSum, sum, updateChecksum } from '#net/wire/checksum.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** Word by word, the carry added back each time. */
function slowSum(b: Uint8Array): number {
  let total = 0
  for (let i = 0; i < b.length; i += 2) {
    total += (b[i] ?? 0) * 256 + (b[i + 1] ?? 0)
    if (total > 0xffff) total -= 0xffff
  }
  return total
}

describe('sum', () => {
  it("gives the example of RFC 1071 §3, and an odd octet's place", () => {
    const b = octets('0001 f203 f4f5 f6f7')
    expect(sum(b, 0, 8)).toBe(0xddf2)
    expect(sum(b, 2, 3)).toBe(0xf200)
    expect(sum(b, 3, 3)).toBe(0)
  })
  it('gives an IPv4 header checksum', () => {
    const b = octets('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7')
    expect(checksumOf(sum(b, 0, 20))).toBe(0xb861)
  })
  it('equals the slow sum, wherever it starts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(9), (b, start) => {
        const from = Math.min(start, b.length)
        expect(sum(b, from, b.length)).toBe(slowSum(b.subarray(from)))
      }),
    )
  })
  it('does not overflow at 128 KiB', () => {
    expect(sum(new Uint8Array(131072).fill(0xff), 0, 131072)).toBe(0xffff)
    expect(fold(0xffffffff)).toBe(0xffff)
  })
})

it('pseudoHeaderSum takes both addresses and the protocol', () => {
  const b = octets('c0000201 c0000202 2001')
  expect(fold(pseudoHeaderSum(b, 0, 4, 4, 17))).toBe(fold(0xc000 + 0x0201 + 0xc000 + 0x0202 + 17))
})

it('updateChecksum equals summing again', () => {
  expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0) // RFC 1624 §4
  const word = fc.nat(0xffff)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), word, (b, after) => {
      b[0] = 0x45 // A header is not all zero, so its sum has no second form.
      const before = ((b[4] ?? 0) << 8) | (b[5] ?? 0)
      const checksum = checksumOf(sum(b, 0, 20))
      b[4] = after >>> 8
      b[5] = after
      expect(updateChecksum(checksum, before, after)).toBe(checksumOf(sum(b, 0, 20)))
    }),
  )
})

it('nothing here allocates', () => {
  const b = new Uint8Array(9000).fill(0xff)
  let keep = 0
  const each = bytesPerCall(() => {
    keep ^= updateChecksum(checksumOf(sum(b, 1, 200) + pseudoHeaderSum(b, 0, 16, 16, 6)), keep, 7)
  })
  expect(each).toBeLessThan(8)
})
