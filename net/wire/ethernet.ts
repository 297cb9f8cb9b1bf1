/**
 * Ethernet header with stacked VLAN tags, in network byte order, without the FCS.
 *
 *    0        6        12     14
 *    | dst(6) | src(6) | type | payload              IEEE Std 802.3-2022 §3.2
 *    | dst(6) | src(6) | TPID | TCI | type | ...     IEEE Std 802.1Q-2022 §9
 *
 * A frame is `b[start, end)`. `decode` makes the only length check; the other functions take a frame that it accepted.
 */
import { putU16, putU8, u16, u8 } from '#net/wire/octets.ts'

export const HEADER_LEN = 14
export const TAG_LEN = 4
/** Tags that `decode` reads; a fifth one is payload. */
export const MAX_TAGS = 4

export const TPID_C_TAG = 0x8100
export const TPID_S_TAG = 0x88a8
/** Outer tags of equipment older than IEEE Std 802.1ad. */
export const TPID_QINQ_9100 = 0x9100
export const TPID_QINQ_9200 = 0x9200

export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV6 = 0x86dd

const SOURCE = 6
const TYPE = 12

export const isTpid = (type: number): boolean =>
  type === TPID_C_TAG || type === TPID_S_TAG || type === TPID_QINQ_9100 || type === TPID_QINQ_9200

/** Fields of one header; the next `decode` overwrites them. */
export class EthernetHeader {
  tagCount = 0
  /** Tag protocol identifiers, outermost first; the first `tagCount` are valid, as in `tci`. */
  readonly tpid = new Uint16Array(MAX_TAGS)
  /** Tag control information: PCP(3) DEI(1) VID(12). */
  readonly tci = new Uint16Array(MAX_TAGS)
  /** The type after the tags; below 0x600 it is a length (IEEE Std 802.3-2022 §3.2.6). */
  etherType = 0
  /** Index in `b` of the first octet after the type. */
  payload = 0

  /** Reads the header of `b[start, end)`; false when it is cut short, and the fields are then stale. */
  decode(b: Uint8Array, start: number, end: number): boolean {
    if (end - start < HEADER_LEN) return false
    let at = start + TYPE
    let type = u16(b, at)
    let tags = 0
    while (tags < MAX_TAGS && isTpid(type)) {
      if (end - at < TAG_LEN + 2) return false
      this.tpid[tags] = type
      this.tci[tags++] = u16(b, at + 2)
      at += TAG_LEN
      type = u16(b, at)
    }
    this.tagCount = tags
    this.etherType = type
    this.payload = at + 2
    return true
  }
}

/** Writes an untagged header; the addresses have 6 octets. @returns the index after it. */
export function putEthernet(
  b: Uint8Array,
  start: number,
  destination: Uint8Array,
  source: Uint8Array,
  type: number,
): number {
  b.set(destination, start)
  b.set(source, start + SOURCE)
  putU16(b, start + TYPE, type)
  return start + HEADER_LEN
}

/**
 * Adds an outer tag by sliding both addresses into the 4 octets before `start`. Moves frame octets only: a frame with
 * a virtio header takes `insertTag`. @returns the new start.
 */
export function pushTag(b: Uint8Array, start: number, tpid: number, tci: number): number {
  const to = start - TAG_LEN
  for (let i = 0; i < TYPE; i++) putU8(b, to + i, u8(b, start + i))
  putU16(b, to + TYPE, tpid)
  putU16(b, to + TYPE + 2, tci)
  return to
}

/** Takes the outer tag off a frame that has one; the opposite of `pushTag`. @returns the new start. */
export function popTag(b: Uint8Array, start: number): number {
  const to = start + TAG_LEN
  for (let i = TYPE - 1; i >= 0; i--) putU8(b, to + i, u8(b, start + i))
  return to
}
