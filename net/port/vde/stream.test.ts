import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VdeStreamReader } from '#net/port/vde/stream.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const record = (length: number, seed = 0): Buffer => {
  const octets = Buffer.alloc(2 + length, seed & 255)
  octets.writeUInt16BE(length)
  return octets
}

/** The frames that come out of chunks. */
function framesOf(chunks: readonly Uint8Array[]): Buffer[] {
  const frames: Buffer[] = []
  const reader = new VdeStreamReader((octets, start, end) =>
    frames.push(Buffer.from(octets.slice(start, end))),
  )
  for (const chunk of chunks) reader.read(chunk)
  return frames
}

describe('VdeStreamReader', () => {
  it('finds the same frames wherever the stream is cut in two', () => {
    const frames = [14, 1, 60, 300].map((length, i) => record(length, i + 1))
    const stream = Buffer.concat([...frames.slice(0, 2), Buffer.alloc(2), ...frames.slice(2)])
    const expected = frames.map((frame) => frame.subarray(2))
    for (let cut = 0; cut <= stream.length; cut++) {
      expect(framesOf([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(expected)
    }
    expect(framesOf([...stream].map((octet) => Uint8Array.of(octet)))).toEqual(expected)
  })

  it('takes keepalives, and frames up to 9234 octets', () => {
    expect(framesOf([Buffer.alloc(6)])).toEqual([])
    expect(framesOf([record(9234, 7)])).toEqual([record(9234, 7).subarray(2)])
  })

  it.each([9235, 0xffff])('ends at a length of %i, also one that comes in halves', (length) => {
    const header = Uint8Array.of(length >> 8, length & 255)
    expect(() => framesOf([header])).toThrow(/no VDE stream: a frame of \d+ octets is announced, 9234/)
    expect(() => framesOf([header.subarray(0, 1), header.subarray(1)])).toThrow(/no VDE stream/)
  })

  it('keeps order and content for any frames and cuts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
        (frames, sizes) => {
          const stream = Buffer.concat(
            frames.map((frame) =>
              Buffer.concat([Uint8Array.of(frame.length >> 8, frame.length & 255), frame]),
            ),
          )
          const chunks: Buffer[] = []
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length] ?? 1
            chunks.push(stream.subarray(at, at + size))
            at += size
          }
          expect(framesOf(chunks)).toEqual(
            frames.filter(({ length }) => length > 0).map((f) => Buffer.from(f)),
          )
        },
      ),
    )
  })

  it('allocates nothing for a frame', () => {
    let octets = 0
    const reader = new VdeStreamReader((_chunk, start, end) => (octets += end - start))
    const stream = Buffer.concat(Array.from({ length: 50 }, () => record(100)))
    expect(bytesPerCall(() => reader.read(stream)) / 50).toBeLessThan(1)
    expect(octets).toBeGreaterThan(0)
  })
})
