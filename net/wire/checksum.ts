/** Internet checksum: one's complement sum of 16-bit words in network byte order (RFC 1071). */
import { u16, u8 } from '#net/wire/octets.ts'

/** Sum of words, below 2^32, with the carries added back: 0 to 0xffff. */
export function fold(total: number): number {
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** The checksum that a sum of words, below 2^32, gives. */
export const checksumOf = (total: number): number => ~fold(total) & 0xffff

/** Folded sum of `b[start, end)`, at most 128 KiB; an odd last octet is the high half of its word. */
export function sum(b: Uint8Array, start: number, end: number): number {
  let total = 0
  let i = start
  for (; i + 8 <= end; i += 8) total = (total + u16(b, i) + u16(b, i + 2) + u16(b, i + 4) + u16(b, i + 6)) | 0
  for (; i + 2 <= end; i += 2) total = (total + u16(b, i)) | 0
  if (i < end) total = (total + (u8(b, i) << 8)) | 0
  return fold(total >>> 0)
}

/**
 * Sum of the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) without its length; below 2^18.
 * @param source  index of the source address, `addressLen` octets (4 or 16)
 * @param destination  index of the final destination's address
 */
export function pseudoHeaderSum(
  b: Uint8Array,
  source: number,
  destination: number,
  addressLen: number,
  protocol: number,
): number {
  return sum(b, source, source + addressLen) + sum(b, destination, destination + addressLen) + protocol
}

/** The checksum after one of the words that it covers changes from `before` to `after` (RFC 1624 §3, equation 3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return checksumOf((~checksum & 0xffff) + (~before & 0xffff) + after)
}
