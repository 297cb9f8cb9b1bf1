/** DHCP messages in UDP in IPv4 on Ethernet, untagged: frames of a client and a server that are no part of a kernel. */
import { fold, pseudoHeaderSum, checksumOf, sum } from '#net/wire/checksum.ts'
import { ETHERTYPE_IPV4, HEADER_LEN, putEthernet } from '#net/wire/ethernet.ts'
import {
  IPV4_ADDRESS_LEN,
  IPV4_DESTINATION,
  IPV4_HEADER_LEN,
  IPV4_SOURCE,
  Ipv4Header,
  PROTOCOL_UDP,
  putIpv4,
} from '#net/wire/ipv4.ts'
import { putU16, u16 } from '#net/wire/octets.ts'
import { putUdp, UDP_CHECKSUM, UDP_HEADER_LEN, UDP_LENGTH } from '#net/wire/udp.ts'

export const DHCP_SERVER_PORT = 67
export const DHCP_CLIENT_PORT = 68

/** Whose frame it is and to whom it goes: MAC addresses of 6 octets, IPv4 addresses of 4, UDP ports. */
export interface DhcpPassage {
  readonly sourceMac: Uint8Array
  readonly destinationMac: Uint8Array
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sourcePort: number
  readonly destinationPort: number
}

export function dhcpFrame(passage: DhcpPassage, message: Uint8Array): Uint8Array {
  const { sourceMac, destinationMac, source, destination, sourcePort, destinationPort } = passage
  const udpLength = UDP_HEADER_LEN + message.length
  const b = new Uint8Array(HEADER_LEN + IPV4_HEADER_LEN + udpLength)
  const ip = putEthernet(b, 0, destinationMac, sourceMac, ETHERTYPE_IPV4)
  const udp = putIpv4(b, ip, IPV4_HEADER_LEN + udpLength, 0, PROTOCOL_UDP, source, destination)
  const payload = putUdp(b, udp, sourcePort, destinationPort, udpLength)
  b.set(message, payload)
  // A sum of 0 would say that there is none (RFC 768).
  putU16(b, udp + UDP_CHECKSUM, checksumOf(udpSum(b, ip, udp, b.length)) || 0xffff)
  return b
}

/** Reads where the message of a frame lies; the next `decode` overwrites it. */
export class DhcpFrame {
  /** Index in `b` of the message. */
  payload = 0
  /** Index after it. */
  end = 0
  readonly #ipv4 = new Ipv4Header()

  /** True for an untagged IPv4 packet, whole or not, that is UDP to this port: `decode` says whether it can be read. */
  isTo(b: Uint8Array, start: number, end: number, port: number): boolean {
    const ip = this.#ipv4
    const at = start + HEADER_LEN
    if (end - at < IPV4_HEADER_LEN || u16(b, start + 12) !== ETHERTYPE_IPV4 || !ip.decode(b, at, end))
      return false
    return (
      ip.protocol === PROTOCOL_UDP && end - ip.payload >= UDP_HEADER_LEN && u16(b, ip.payload + 2) === port
    )
  }

  /**
   * Takes a frame for which `isTo` has just said yes; false when lengths contradict each other, it is a fragment, or its
   * checksum is wrong.
   * @param isChecked  false: whoever sent it may have left the checksum to a network card that never sees it
   */
  decode(b: Uint8Array, start: number, end: number, isChecked: boolean): boolean {
    const ip = start + HEADER_LEN
    const { totalLength, isFragment, payload: udp } = this.#ipv4
    const length = u16(b, udp + UDP_LENGTH)
    if (isFragment || length < UDP_HEADER_LEN || udp + length > ip + totalLength || ip + totalLength > end)
      return false
    this.payload = udp + UDP_HEADER_LEN
    this.end = udp + length
    if (!isChecked || u16(b, udp + UDP_CHECKSUM) === 0) return true
    return sum(b, ip, udp) === 0xffff && udpSum(b, ip, udp, this.end) === 0xffff
  }
}

/** Folded sum of a UDP datagram `b[udp, end)` and its pseudo-header. */
function udpSum(b: Uint8Array, ip: number, udp: number, end: number): number {
  const header = pseudoHeaderSum(b, ip + IPV4_SOURCE, ip + IPV4_DESTINATION, IPV4_ADDRESS_LEN, PROTOCOL_UDP)
  return fold(header + (end - udp) + sum(b, udp, end))
}
