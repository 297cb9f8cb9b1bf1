/** ARP for IPv4 on Ethernet (RFC 826). A packet is `b[at, end)`. */
import { putU16, putU32, u16, u32 } from '#net/wire/octets.ts'

export const ARP_LEN = 28
export const ARP_REQUEST = 1
export const ARP_REPLY = 2

/** Ethernet (1), IPv4 (0x0800). */
const SPACES = 0x00010800
/** Hardware addresses of 6 octets, protocol addresses of 4. */
const LENGTHS = 0x0604

/** Fields of one packet; the next `decode` overwrites them. */
export class ArpPacket {
  operation = 0
  /** Indexes in `b` of the four addresses: 6, 4, 6, 4 octets. */
  senderMac = 0
  senderIp = 0
  targetMac = 0
  targetIp = 0

  /** Reads the packet; false when it is for other address kinds or cut short, and the fields are then stale. */
  decode(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < ARP_LEN || u32(b, at) !== SPACES || u16(b, at + 4) !== LENGTHS) return false
    this.operation = u16(b, at + 6)
    this.senderMac = at + 8
    this.senderIp = at + 14
    this.targetMac = at + 18
    this.targetIp = at + 24
    return true
  }
}

/** Writes a packet; MAC addresses have 6 octets, IP addresses 4. @returns the index after it. */
export function putArp(
  b: Uint8Array,
  at: number,
  operation: number,
  senderMac: Uint8Array,
  senderIp: Uint8Array,
  targetMac: Uint8Array,
  targetIp: Uint8Array,
): number {
  putU32(b, at, SPACES)
  putU16(b, at + 4, LENGTHS)
  putU16(b, at + 6, operation)
  b.set(senderMac, at + 8)
  b.set(senderIp, at + 14)
  b.set(targetMac, at + 18)
  b.set(targetIp, at + 24)
  return at + ARP_LEN
}
