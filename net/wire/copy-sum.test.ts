import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sum } from '#net/wire/checksum.ts'
import { copySum, WordView } from '#net/wire/copy-sum.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

describe('copySum', () => {
  it('copies and sums, for every alignment of both sides, and writes nothing else', () => {
    const offset = fc.nat(9)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), offset, offset, offset, offset, (data, s, t, u, v) => {
        const input = new Uint8Array(new ArrayBuffer(200), u, 120)
        const output = new Uint8Array(new ArrayBuffer(200), v, 120).fill(0xee)
        input.set(data, s)
        const total = copySum(new WordView(input), s, s + data.length, new WordView(output), t)
        expect(total).toBe(sum(data, 0, data.length))
        expect(output.subarray(t, t + data.length)).toEqual(data)
        const rest = [...output.subarray(0, t), ...output.subarray(t + data.length)]
        expect(rest.every((octet) => octet === 0xee)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
  it('does not overflow at 128 KiB', () => {
    const all = new WordView(new Uint8Array(131073).fill(0xff))
    const to = new WordView(new Uint8Array(131073))
    for (const start of [0, 1]) expect(copySum(all, start, 131072 + start, to, start)).toBe(0xffff)
  })
  it('allocates nothing', () => {
    const from = new WordView(new Uint8Array(300).fill(0xff))
    const to = new WordView(new Uint8Array(300))
    const each = bytesPerCall(() => {
      copySum(from, 1, 299, to, 1)
      copySum(from, 1, 60, to, 2)
    })
    expect(each).toBeLessThan(8)
  })
})
