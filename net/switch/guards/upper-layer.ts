/**
 * Finds the upper-layer header of an IP packet as a guard must: what cannot be found in a packet that may hold one is
 * UNKNOWN, not harmless (RFC 7113 §3). Unlike `Ipv6Header` of net/wire it knows first fragments, every extension header
 * and a bound that no honest packet reaches.
 */
import { IPV4_FRAGMENT, IPV4_HEADER_LEN, IPV4_PROTOCOL } from '#net/wire/ipv4.ts'
import { EXTENSION_FRAGMENT, IPV6_HEADER_LEN, IPV6_NEXT_HEADER, IPV6_PAYLOAD_LENGTH } from '#net/wire/ipv6.ts'
import { u16, u8 } from '#net/wire/octets.ts'

/** There is one, in `protocol` and `payload`. */
export const FOUND = 0
/** A later fragment, or nothing that a host would take for a packet. */
export const NONE = 1
/** Its headers are cut off, in another fragment, or too many. */
export const UNKNOWN = 2

/** 64 headers of 8 octets: far more than hosts take. */
const MAX_HEADERS = 64
const AUTHENTICATION = 51
/** Hop-by-hop, routing, destination; mobility, HIP, shim6, experiments: all have a length in units of 8 octets. */
const EXTENSIONS = [0, 43, 60, 135, 139, 140, 253, 254]
const isLongExtension = new Uint8Array(256)
for (const number of EXTENSIONS) isLongExtension[number] = 1

export class UpperLayer {
  /** Number of the protocol (IANA). */
  protocol = 0
  /** Indexes in `b` of its header, and of the end of the packet: a frame may have padding. */
  payload = 0
  end = 0

  ipv4(b: Uint8Array, at: number, end: number): number {
    if (end - at < IPV4_HEADER_LEN) return NONE
    const first = u8(b, at)
    const length = (first & 0x0f) << 2
    if (first >>> 4 !== 4 || length < IPV4_HEADER_LEN) return NONE
    if ((u16(b, at + IPV4_FRAGMENT) & 0x1fff) !== 0) return NONE
    if (end - at < length) return UNKNOWN
    this.protocol = u8(b, at + IPV4_PROTOCOL)
    this.payload = at + length
    this.end = end
    return FOUND
  }

  ipv6(b: Uint8Array, at: number, frameEnd: number): number {
    if (frameEnd - at < IPV6_HEADER_LEN || u8(b, at) >>> 4 !== 6) return NONE
    // 0 in a super-frame or jumbogram: the frame's end is all that is known.
    const octets = u16(b, at + IPV6_PAYLOAD_LENGTH)
    const end = octets === 0 ? frameEnd : Math.min(frameEnd, at + IPV6_HEADER_LEN + octets)
    let next = u8(b, at + IPV6_NEXT_HEADER)
    let i = at + IPV6_HEADER_LEN
    for (let headers = 0; headers < MAX_HEADERS; headers++) {
      const isFragment = next === EXTENSION_FRAGMENT
      if (!isFragment && next !== AUTHENTICATION && isLongExtension[next] !== 1) {
        this.protocol = next
        this.payload = i
        this.end = end
        return FOUND
      }
      if (end - i < 8) return UNKNOWN
      if (isFragment && (u16(b, i + 2) & 0xfff8) !== 0) return NONE
      const units = u8(b, i + 1)
      const isAuthentication = next === AUTHENTICATION
      next = u8(b, i)
      // Words of 4 octets in RFC 4302 §2.2, of 8 elsewhere; none in a fragment header.
      i += isFragment ? 8 : isAuthentication ? (units + 2) << 2 : (units + 1) << 3
    }
    return UNKNOWN
  }
}
