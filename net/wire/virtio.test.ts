import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checksumOffset,
  checksumStart,
  FLAG_DATA_VALID,
  FLAG_NEEDS_CHECKSUM,
  flags,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  gsoSize,
  gsoType,
  headerLength,
  isPlain,
  isValidHeader,
  putHeader,
  putPlain,
  shiftHeader,
} from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const START = 20
const END = 120
const header = (...fields: [number, number, number, number, number, number]): Uint8Array => {
  const b = new Uint8Array(END)
  putHeader(b, START, ...fields)
  return b
}
const read = (b: Uint8Array, start: number): number[] => [
  flags(b, start),
  gsoType(b, start),
  headerLength(b, start),
  gsoSize(b, start),
  checksumStart(b, start),
  checksumOffset(b, start),
]

describe('the virtio header', () => {
  it('is ten octets before the frame, little-endian', () => {
    const b = header(1, GSO_TCPV4 | GSO_ECN, 0x0142, 0x05a8, 0x0122, 16)
    expect(Buffer.from(b.subarray(START - 10, START)).toString('hex')).toBe('01814201a80522011000')
    expect(read(b, START)).toEqual([1, 0x81, 0x142, 0x5a8, 0x122, 16])
  })
  it('putPlain clears it and nothing else', () => {
    const b = new Uint8Array(END).fill(0xff)
    putPlain(b, START)
    expect(isPlain(b, START)).toBe(true)
    expect(b.findIndex((octet) => octet === 0)).toBe(START - 10)
    expect(b.lastIndexOf(0)).toBe(START - 1)
  })
  it('isPlain: a checksum that the kernel has checked leaves nothing to finish', () => {
    expect(isPlain(header(FLAG_DATA_VALID, GSO_NONE, 0, 0, 0, 0), START)).toBe(true)
    expect(isPlain(header(FLAG_NEEDS_CHECKSUM, GSO_NONE, 0, 0, 34, 6), START)).toBe(false)
    expect(isPlain(header(0, GSO_TCPV6, 0, 1440, 0, 0), START)).toBe(false)
  })
})

describe('shiftHeader', () => {
  it('moves both offsets against the start, but not those that are unset', () => {
    const b = header(1, GSO_TCPV4, 54, 1448, 34, 16)
    expect(shiftHeader(b, START, -4)).toBe(START - 4)
    expect(read(b, START - 4)).toEqual([1, GSO_TCPV4, 58, 1448, 38, 16])
    const merged = header(FLAG_DATA_VALID, GSO_TCPV4, 0, 1448, 0, 0)
    shiftHeader(merged, START, -4)
    expect(read(merged, START - 4)).toEqual([FLAG_DATA_VALID, GSO_TCPV4, 0, 1448, 0, 0])
  })
})

describe('isValidHeader', () => {
  it.each([
    ['nothing to finish', true, header(0, GSO_NONE, 0, 0, 0, 0)],
    ['checked by the kernel', true, header(FLAG_DATA_VALID, GSO_NONE, 0, 0, 0, 0)],
    ['checksum in the last two octets', true, header(1, GSO_NONE, 0, 0, 82, 16)],
    ['checksum past the end', false, header(1, GSO_NONE, 0, 0, 83, 16)],
    ['checksum inside the addresses', false, header(1, GSO_NONE, 0, 0, 13, 6)],
    ['TCP over IPv4 with CWR', true, header(1, GSO_TCPV4 | GSO_ECN, 54, 1448, 34, 16)],
    ['UDP segmentation', true, header(1, GSO_UDP_L4, 42, 1000, 34, 6)],
    ['UDP fragmentation, which is obsolete', false, header(1, 3, 42, 1000, 34, 6)],
    ['an unknown type', false, header(0, 2, 0, 1000, 0, 0)],
    ['a super-frame without a size', false, header(1, GSO_TCPV4, 54, 0, 34, 16)],
    ['an unknown flag', false, header(4, GSO_NONE, 0, 0, 0, 0)],
  ])('%s: %s', (_, valid, b) => {
    expect(isValidHeader(b, START, END)).toBe(valid)
  })
  it('never accepts a checksum field outside the frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), fc.nat(100), (octets, length) => {
        const b = new Uint8Array(10 + length)
        b.set(octets)
        if (!isValidHeader(b, 10, b.length) || (flags(b, 10) & FLAG_NEEDS_CHECKSUM) === 0) return
        expect(checksumStart(b, 10)).toBeGreaterThanOrEqual(14)
        expect(checksumStart(b, 10) + checksumOffset(b, 10) + 2).toBeLessThanOrEqual(length)
      }),
    )
  })
})

it('nothing here allocates', () => {
  const b = header(1, GSO_TCPV4, 54, 1448, 34, 16)
  const each = bytesPerCall(() => {
    if (isValidHeader(b, START, END) && !isPlain(b, START)) shiftHeader(b, shiftHeader(b, START, -4), 4)
    putHeader(b, START, 1, GSO_TCPV4, 54, 1448, 34, 16)
    putPlain(b, START + 20)
  })
  expect(each).toBeLessThan(8)
})
