/** ICMP echo (RFC 792 p. 14, RFC 4443 §4). A message is `b[at, end)`. */
import { checksumOf, sum } from '#net/wire/checksum.ts'
import { putU16, putU8, u16, u8 } from '#net/wire/octets.ts'

export const ICMP_HEADER_LEN = 8
const ICMP_CHECKSUM = 2

export const ICMP_ECHO_REPLY = 0
export const ICMP_ECHO_REQUEST = 8
export const ICMPV6_ECHO_REQUEST = 128
export const ICMPV6_ECHO_REPLY = 129

/** Fields of one message; the next `decode` overwrites them. */
export class IcmpHeader {
  type = 0
  code = 0
  /** Of echoes. */
  identifier = 0
  /** Of echoes. */
  sequence = 0

  /** Reads the header; false when it is cut short, and the fields are then stale. */
  decode(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < ICMP_HEADER_LEN) return false
    this.type = u8(b, at)
    this.code = u8(b, at + 1)
    this.identifier = u16(b, at + 4)
    this.sequence = u16(b, at + 6)
    return true
  }
}

/**
 * Writes an echo's header before its data `b[at + 8, end)`, with the checksum.
 * @param pseudoHeader  sum of the pseudo-header with its length for ICMPv6, 0 for ICMP
 */
export function putEcho(
  b: Uint8Array,
  at: number,
  end: number,
  type: number,
  identifier: number,
  sequence: number,
  pseudoHeader: number,
): void {
  putU8(b, at, type)
  putU8(b, at + 1, 0)
  putU16(b, at + ICMP_CHECKSUM, 0)
  putU16(b, at + 4, identifier)
  putU16(b, at + 6, sequence)
  putU16(b, at + ICMP_CHECKSUM, checksumOf(sum(b, at, end) + pseudoHeader))
}
