import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksumOf, sum } from '#net/wire/checksum.ts'
import { markCongestion } from '#net/wire/ecn.ts'
import { putU16, u16 } from '#net/wire/octets.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

const TAGS = ['', '8100.5', '88a8.5 8100.6', '9100.1 9200.2 8100.3 8100.4']
const mark = (frame: Uint8Array): boolean => markCongestion(frame, 0, frame.length)
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

describe('markCongestion', () => {
  it('marks IPv4 and IPv6 whose endpoints understand it, behind any tags', () => {
    for (const tags of TAGS) {
      for (const version of [4, 6]) {
        for (const ecn of [1, 2, 3]) {
          const frame = flowFrame({ version, tags, ecn }, 100, 9)
          expect(mark(frame)).toBe(true)
          expect(hex(frame)).toBe(hex(flowFrame({ version, tags, ecn: 3 }, 100, 9)))
        }
      }
    }
  })

  it('leaves everything else as it is', () => {
    const others = [
      ...TAGS.flatMap((tags) => [4, 6].map((version) => flowFrame({ version, tags, ecn: 0 }, 100))),
      flowFrame({ ecn: 1, tags: '8100.1 8100.2 8100.3 8100.4 8100.5' }),
    ]
    const arp = flowFrame({ ecn: 1 })
    putU16(arp, 12, 0x0806)
    const anotherVersion = flowFrame({ ecn: 1 })
    anotherVersion[14] = 0x55
    const shortHeader = flowFrame({ ecn: 1 })
    shortHeader[14] = 0x44
    for (const frame of [...others, arp, anotherVersion, shortHeader]) {
      const before = hex(frame)
      expect(mark(frame)).toBe(false)
      expect(hex(frame)).toBe(before)
    }
  })

  it('leaves a packet alone whose header is cut short', () => {
    for (const [version, whole] of [
      [4, 38],
      [6, 58],
    ] as const) {
      const frame = flowFrame({ version, ecn: 1, tags: '8100.5' }, 100)
      const before = hex(frame)
      for (let end = 0; end < whole; end++) {
        expect(markCongestion(frame, 0, end), `end ${end}`).toBe(false)
        expect(hex(frame)).toBe(before)
      }
      expect(markCongestion(frame, 0, whole)).toBe(true)
    }
  })

  it('keeps the checksum of any IPv4 header as computing it anew would have it', () => {
    const header = fc.record({
      words: fc.integer({ min: 5, max: 15 }),
      tos: fc.nat(255).filter((tos) => (tos & 3) !== 0),
      rest: fc.uint8Array({ minLength: 58, maxLength: 58 }),
      // Draws the sums where the two zeroes of one's complement meet.
      sumNear: fc.option(fc.integer({ min: -4, max: 4 })),
    })
    fc.assert(
      fc.property(header, ({ words, tos, rest, sumNear }) => {
        const length = 4 * words
        const frame = flowFrame({}, 100)
        frame.set(rest, 16)
        frame[14] = 0x40 | words
        frame[15] = tos
        const complete = (): void => {
          putU16(frame, 24, 0)
          putU16(frame, 24, checksumOf(sum(frame, 14, 14 + length)))
        }
        if (sumNear !== null) {
          // The identification makes up what is missing from the sum.
          putU16(frame, 24, 0)
          putU16(frame, 18, 0)
          const others = sum(frame, 14, 14 + length)
          putU16(frame, 18, (0xffff + sumNear - others + 2 * 0xffff) % 0xffff)
        }
        complete()
        expect(mark(frame)).toBe(true)
        expect(frame[15]).toBe(tos | 3)
        const updated = u16(frame, 24)
        complete()
        expect(updated).toBe(u16(frame, 24))
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps the checksum for every value of its own', () => {
    const frame = flowFrame({}, 60)
    let wrong = 0
    for (const ecn of [1, 2]) {
      for (let identification = 0; identification < 0x10000; identification++) {
        frame[15] = ecn
        putU16(frame, 18, identification)
        putU16(frame, 24, 0)
        putU16(frame, 24, checksumOf(sum(frame, 14, 34)))
        mark(frame)
        const updated = u16(frame, 24)
        putU16(frame, 24, 0)
        if (updated !== checksumOf(sum(frame, 14, 34))) wrong++
      }
    }
    expect([wrong, frame[15]]).toEqual([0, 3])
  })

  it('leaves a wrong checksum wrong', () => {
    const frame = flowFrame({ ecn: 1 })
    putU16(frame, 24, u16(frame, 24) ^ 0x10)
    mark(frame)
    expect(sum(frame, 14, 34)).not.toBe(0xffff)
  })

  it('allocates nothing', () => {
    const [four, six] = [flowFrame({ tags: '8100.1' }), flowFrame({ version: 6 }, 100)]
    const call = (): void => {
      four[19] = 1
      six[15] = 0x10
      if (!mark(four) || !mark(six)) throw new Error('not marked')
    }
    expect(bytesPerCall(call)).toBeLessThan(8)
  })
})
