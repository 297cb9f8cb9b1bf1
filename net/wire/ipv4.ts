/** IPv4 header (RFC 791 §3.1). A packet is `b[at, end)`. */
import { checksumOf, sum } from '#net/wire/checksum.ts'
import { putU16, putU8, u16, u8 } from '#net/wire/octets.ts'

export const IPV4_HEADER_LEN = 20
export const IPV4_ADDRESS_LEN = 4

export const PROTOCOL_ICMP = 1
export const PROTOCOL_TCP = 6
export const PROTOCOL_UDP = 17
export const PROTOCOL_ICMPV6 = 58

/** Places of fields, octets from the header's start. */
export const IPV4_TOTAL_LENGTH = 2
export const IPV4_IDENTIFICATION = 4
export const IPV4_FRAGMENT = 6
export const IPV4_PROTOCOL = 9
export const IPV4_CHECKSUM = 10
export const IPV4_SOURCE = 12
export const IPV4_DESTINATION = 16

const MORE_FRAGMENTS_AND_OFFSET = 0x3fff

/** Fields of one header; the next `decode` overwrites them. */
export class Ipv4Header {
  /** Octets, header included, as the header says; frames may carry padding after it. */
  totalLength = 0
  identification = 0
  /** True for every fragment, the first one included. */
  isFragment = false
  protocol = 0
  /** Index in `b` of the first octet after the options. */
  payload = 0

  /**
   * Reads the header; false when it is none or cut short, and the fields are then stale. Neither total length nor
   * checksum is checked.
   */
  decode(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < IPV4_HEADER_LEN) return false
    const first = u8(b, at)
    const length = (first & 0x0f) << 2
    if (first >>> 4 !== 4 || length < IPV4_HEADER_LEN || end - at < length) return false
    this.totalLength = u16(b, at + IPV4_TOTAL_LENGTH)
    this.identification = u16(b, at + IPV4_IDENTIFICATION)
    this.isFragment = (u16(b, at + IPV4_FRAGMENT) & MORE_FRAGMENTS_AND_OFFSET) !== 0
    this.protocol = u8(b, at + IPV4_PROTOCOL)
    this.payload = at + length
    return true
  }
}

/** Writes a header without options, TTL 64, with its checksum. @returns the index after it. */
export function putIpv4(
  b: Uint8Array,
  at: number,
  totalLength: number,
  identification: number,
  protocol: number,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  putU16(b, at, 0x4500)
  putU16(b, at + IPV4_TOTAL_LENGTH, totalLength)
  putU16(b, at + IPV4_IDENTIFICATION, identification)
  putU16(b, at + IPV4_FRAGMENT, 0)
  putU8(b, at + 8, 64)
  putU8(b, at + IPV4_PROTOCOL, protocol)
  putU16(b, at + IPV4_CHECKSUM, 0)
  b.set(source, at + IPV4_SOURCE)
  b.set(destination, at + IPV4_DESTINATION)
  const next = at + IPV4_HEADER_LEN
  putU16(b, at + IPV4_CHECKSUM, checksumOf(sum(b, at, next)))
  return next
}
