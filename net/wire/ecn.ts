/** Explicit congestion notification (RFC 3168 §5): the two low bits of an IP packet's type of service, or traffic class. */
import { updateChecksum } from '#net/wire/checksum.ts'
import { EthernetHeader, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '#net/wire/ethernet.ts'
import { IPV4_CHECKSUM, Ipv4Header } from '#net/wire/ipv4.ts'
import { IPV6_HEADER_LEN } from '#net/wire/ipv6.ts'
import { putU16, u16, u8 } from '#net/wire/octets.ts'

const NOT_ECT = 0
/** Congestion experienced. In IPv6 the bits lie four places higher. */
const CE = 3
const IPV6_SHIFT = 4

const ethernet = new EthernetHeader()
const ipv4 = new Ipv4Header()

/**
 * Marks the IP packet of the frame `b[start, end)`, behind any tags, as having met congestion, if its endpoints
 * understand that. All segments of a super-frame carry the mark.
 * @returns false: they do not, or it is no IP packet; nothing is changed.
 */
export function markCongestion(b: Uint8Array, start: number, end: number): boolean {
  if (!ethernet.decode(b, start, end)) return false
  const at = ethernet.payload
  if (ethernet.etherType === ETHERTYPE_IPV4 && ipv4.decode(b, at, end)) {
    const before = u16(b, at)
    const after = before | CE
    if ((before & CE) === NOT_ECT) return false
    if (after === before) return true
    putU16(b, at, after)
    putU16(b, at + IPV4_CHECKSUM, updateChecksum(u16(b, at + IPV4_CHECKSUM), before, after))
    return true
  }
  if (ethernet.etherType === ETHERTYPE_IPV6 && end - at >= IPV6_HEADER_LEN && u8(b, at) >>> 4 === 6) {
    const before = u16(b, at)
    if (((before >>> IPV6_SHIFT) & CE) === NOT_ECT) return false
    putU16(b, at, before | (CE << IPV6_SHIFT))
    return true
  }
  return false
}
