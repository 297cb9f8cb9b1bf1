import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EthernetHeader, TPID_C_TAG, TPID_S_TAG } from '#net/wire/ethernet.ts'
import { insertTag, removeTag } from '#net/wire/tag.ts'
import { checksumStart, GSO_TCPV4, headerLength, putHeader, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const START = 32
const withHeader = (frame: Uint8Array, start: number): Uint8Array => {
  const b = new Uint8Array(start + frame.length)
  b.set(frame, start)
  return b
}

describe('insertTag and removeTag', () => {
  it('keep the checksum start and the header length true', () => {
    const b = withHeader(new Uint8Array(60), START)
    putHeader(b, START, 1, GSO_TCPV4, 54, 1448, 34, 16)
    const start = insertTag(b, insertTag(b, START, TPID_C_TAG, 10), TPID_S_TAG, 20)
    expect([start, checksumStart(b, start), headerLength(b, start)]).toEqual([START - 8, 42, 62])
    const h = new EthernetHeader()
    expect(h.decode(b, start, b.length)).toBe(true)
    expect([...h.tci.subarray(0, h.tagCount)]).toEqual([20, 10])
    const back = removeTag(b, start)
    expect([back, checksumStart(b, back), headerLength(b, back)]).toEqual([START - 4, 38, 58])
  })
  it('leave the frame and its header as they were when both are done, and touch nothing else', () => {
    const any = fc.record({
      frame: fc.uint8Array({ minLength: 60, maxLength: 100 }),
      flags: fc.constantFrom(0, 1, 2),
      size: fc.nat(0xffff),
      checksum: fc.integer({ min: 14, max: 50 }),
      headers: fc.constantFrom(0, 54, 66),
    })
    fc.assert(
      fc.property(any, fc.nat(0xffff), ({ frame, flags, size, checksum, headers }, tci) => {
        const b = withHeader(frame, START)
        b.fill(0xee, 0, START - VIRTIO_HEADER_LEN)
        putHeader(b, START, flags, GSO_TCPV4, headers, size, flags === 1 ? checksum : 0, 6)
        const before = b.slice()
        expect(removeTag(b, insertTag(b, START, TPID_C_TAG, tci))).toBe(START)
        expect(b.subarray(START - VIRTIO_HEADER_LEN)).toEqual(before.subarray(START - VIRTIO_HEADER_LEN))
        expect(b.subarray(0, START - 14).every((octet) => octet === 0xee)).toBe(true)
      }),
    )
  })
  it('allocate nothing', () => {
    const b = new Uint8Array(100)
    expect(bytesPerCall(() => void removeTag(b, insertTag(b, START, TPID_C_TAG, 7)))).toBeLessThan(8)
  })
})
