/** UDP header (RFC 768). A datagram is `b[at, end)`. */
import { putU16 } from '#net/wire/octets.ts'

export const UDP_HEADER_LEN = 8

/** Places of fields, octets from the header's start. */
export const UDP_LENGTH = 4
export const UDP_CHECKSUM = 6

/** Writes a header, checksum field 0. @param length  octets, header included. @returns the index after it. */
export function putUdp(
  b: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
): number {
  putU16(b, at, sourcePort)
  putU16(b, at + 2, destinationPort)
  putU16(b, at + UDP_LENGTH, length)
  putU16(b, at + UDP_CHECKSUM, 0)
  return at + UDP_HEADER_LEN
}
