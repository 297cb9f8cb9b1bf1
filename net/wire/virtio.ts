/**
 * The virtio-net header (VIRTIO 1.2 §5.1.6, legacy 10-octet form, little-endian) that stands directly before every
 * frame in memory: a frame is `buf[start, end)` and its header `buf[start - 10, start)`. It says what is unfinished
 * about the frame: a TCP or UDP super-frame that must still be cut, a checksum that must still be completed.
 *
 *    0       1          2         4          6            8
 *    | flags | gso_type | hdr_len | gso_size | csum_start | csum_offset | frame ...
 *
 * All zero means a plain wire frame. `csum_start` counts from the frame's first octet.
 */
import { putU16le, u16le, u8, putU8 } from '#net/wire/octets.ts'

export const VIRTIO_HEADER_LEN = 10

export const FLAG_NEEDS_CHECKSUM = 1
/** Set by the kernel on receive: it has checked the checksum, which is complete. Means nothing on send. */
export const FLAG_DATA_VALID = 2

export const GSO_NONE = 0
export const GSO_TCPV4 = 1
export const GSO_TCPV6 = 4
/** UDP segmentation: every segment is a datagram of its own (Linux 6.2 and later can express it here). */
export const GSO_UDP_L4 = 5
/** Added to a TCP type: the first segment alone keeps CWR (RFC 3168 §6.1.2). */
export const GSO_ECN = 0x80

export const flags = (b: Uint8Array, start: number): number => u8(b, start - 10)
export const gsoType = (b: Uint8Array, start: number): number => u8(b, start - 9)
export const headerLength = (b: Uint8Array, start: number): number => u16le(b, start - 8)
export const gsoSize = (b: Uint8Array, start: number): number => u16le(b, start - 6)
export const checksumStart = (b: Uint8Array, start: number): number => u16le(b, start - 4)
export const checksumOffset = (b: Uint8Array, start: number): number => u16le(b, start - 2)

/** True when nothing is left to finish: no segmentation, no open checksum. */
export const isPlain = (b: Uint8Array, start: number): boolean =>
  (u8(b, start - 10) & FLAG_NEEDS_CHECKSUM) === 0 && u8(b, start - 9) === GSO_NONE

/** Writes the header of a plain frame. */
export function putPlain(b: Uint8Array, start: number): void {
  for (let i = start - VIRTIO_HEADER_LEN; i < start; i++) putU8(b, i, 0)
}

/** Writes a whole header. */
export function putHeader(
  b: Uint8Array,
  start: number,
  flagBits: number,
  type: number,
  hdrLen: number,
  size: number,
  csumStart: number,
  csumOffset: number,
): void {
  putU8(b, start - 10, flagBits)
  putU8(b, start - 9, type)
  putU16le(b, start - 8, hdrLen)
  putU16le(b, start - 6, size)
  putU16le(b, start - 4, csumStart)
  putU16le(b, start - 2, csumOffset)
}

/**
 * Moves the header with the frame's start by `shift` octets (a tag put in: -4, taken out: +4) and keeps its offsets
 * true. The header overwrites what lies at its new place and the frame's octets may overwrite its old one: call it
 * before they are moved down, after they are moved up. @returns the new start.
 */
export function shiftHeader(b: Uint8Array, start: number, shift: number): number {
  const to = start + shift
  const type = gsoType(b, start)
  const bits = flags(b, start)
  const hdrLen = headerLength(b, start)
  const csumStart = checksumStart(b, start)
  putHeader(
    b,
    to,
    bits,
    type,
    hdrLen === 0 ? 0 : Math.max(0, hdrLen - shift),
    gsoSize(b, start),
    (bits & FLAG_NEEDS_CHECKSUM) === 0 ? 0 : csumStart - shift,
    checksumOffset(b, start),
  )
  return to
}

/**
 * Checks a header that a peer wrote: known flags and types, checksum field inside the frame. False: the frame is to
 * be dropped and counted, a kernel would answer EINVAL to it.
 */
export function isValidHeader(b: Uint8Array, start: number, end: number): boolean {
  const bits = flags(b, start)
  const type = gsoType(b, start) & ~GSO_ECN
  if ((bits & ~(FLAG_NEEDS_CHECKSUM | FLAG_DATA_VALID)) !== 0) return false
  if (type !== GSO_NONE) {
    if (type !== GSO_TCPV4 && type !== GSO_TCPV6 && type !== GSO_UDP_L4) return false
    if (gsoSize(b, start) === 0) return false
  }
  if ((bits & FLAG_NEEDS_CHECKSUM) === 0) return true
  return (
    checksumStart(b, start) >= 14 && start + checksumStart(b, start) + checksumOffset(b, start) + 2 <= end
  )
}
