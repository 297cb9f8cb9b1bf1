/** IPv6 header and its extension headers (RFC 8200 §3, §4). A packet is `b[at, end)`. */
import { putU16, putU32, putU8, u16, u8 } from '#net/wire/octets.ts'

export const IPV6_HEADER_LEN = 40
export const IPV6_ADDRESS_LEN = 16
/** Extension headers that `decode` walks; a packet with more is refused. */
export const MAX_EXTENSIONS = 8

export const EXTENSION_HOP_BY_HOP = 0
export const EXTENSION_ROUTING = 43
export const EXTENSION_FRAGMENT = 44
export const EXTENSION_DESTINATION = 60

/** Places of fields, octets from the header's start. */
export const IPV6_PAYLOAD_LENGTH = 4
export const IPV6_NEXT_HEADER = 6
export const IPV6_SOURCE = 8
export const IPV6_DESTINATION = 24

/** RFC 8754 §2: the one routing header whose list of addresses begins with the last. */
const ROUTING_TYPE_SEGMENTS = 4

/** Fields of one header and its extensions; the next `decode` overwrites them. */
export class Ipv6Header {
  /** Octets after the fixed header, as it says; frames may carry padding after it. */
  payloadLength = 0
  /** True for every fragment, the first one included. */
  isFragment = false
  /** What follows the extension headers; in a fragment that is not the first one, the fragment's content. */
  protocol = 0
  /** Index in `b` of the first octet after the extension headers. */
  payload = 0
  /** Index in `b` of the address in the pseudo-header: a routing header under way holds it (RFC 8200 §8.1). */
  finalDestination = 0

  /** Reads the headers; false when there are none, too many, or they are cut short: the fields are then stale. */
  decode(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < IPV6_HEADER_LEN || u8(b, at) >>> 4 !== 6) return false
    this.payloadLength = u16(b, at + IPV6_PAYLOAD_LENGTH)
    this.isFragment = false
    this.finalDestination = at + IPV6_DESTINATION
    let next = u8(b, at + IPV6_NEXT_HEADER)
    let i = at + IPV6_HEADER_LEN
    for (let n = 0; isExtension(next); n++) {
      if (n === MAX_EXTENSIONS || end - i < 8) return false
      // A fragment header has no length: its second octet is reserved (RFC 8200 §4.5).
      const length = next === EXTENSION_FRAGMENT ? 8 : (u8(b, i + 1) + 1) << 3
      if (end - i < length) return false
      if (next === EXTENSION_FRAGMENT) this.isFragment ||= (u16(b, i + 2) & 0xfff9) !== 0
      else if (next === EXTENSION_ROUTING && u8(b, i + 3) > 0 && length >= 8 + IPV6_ADDRESS_LEN)
        this.finalDestination = u8(b, i + 2) === ROUTING_TYPE_SEGMENTS ? i + 8 : i + length - IPV6_ADDRESS_LEN
      next = u8(b, i)
      i += length
    }
    this.protocol = next
    this.payload = i
    return true
  }
}

/** Whether another header follows one with this number in its `next header` field. */
export const isExtension = (next: number): boolean =>
  next === EXTENSION_HOP_BY_HOP ||
  next === EXTENSION_ROUTING ||
  next === EXTENSION_FRAGMENT ||
  next === EXTENSION_DESTINATION

/** Writes a fixed header, hop limit 64. @returns the index after it. */
export function putIpv6(
  b: Uint8Array,
  at: number,
  payloadLength: number,
  nextHeader: number,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  putU32(b, at, 0x60000000)
  putU16(b, at + IPV6_PAYLOAD_LENGTH, payloadLength)
  putU8(b, at + IPV6_NEXT_HEADER, nextHeader)
  putU8(b, at + 7, 64)
  b.set(source, at + IPV6_SOURCE)
  b.set(destination, at + IPV6_DESTINATION)
  return at + IPV6_HEADER_LEN
}
