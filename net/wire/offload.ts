/**
 * Reads where the headers of a super-frame lie. The octets themselves are asked, not the virtio header: header length
 * and checksum start are hints that the kernel leaves at 0 in frames that it has merged on receive.
 */
import { EthernetHeader, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '#net/wire/ethernet.ts'
import { IPV4_DESTINATION, Ipv4Header, PROTOCOL_TCP, PROTOCOL_UDP } from '#net/wire/ipv4.ts'
import { Ipv6Header } from '#net/wire/ipv6.ts'
import { TcpHeader } from '#net/wire/tcp.ts'
import { UDP_HEADER_LEN } from '#net/wire/udp.ts'
import { GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, gsoType } from '#net/wire/virtio.ts'

/** Places of the headers of one super-frame, as indexes; the next `decode` overwrites them. */
export class SuperFrameHeader {
  isIpv6 = false
  isTcp = false
  /** The IPv4 or IPv6 header. */
  network = 0
  /** The destination address that belongs in the pseudo-header. */
  finalDestination = 0
  /** The TCP or UDP header. */
  transport = 0
  /** The first octet after the TCP options or the UDP header. */
  payload = 0
  readonly #ethernet = new EthernetHeader()
  readonly #ipv4 = new Ipv4Header()
  readonly #ipv6 = new Ipv6Header()
  readonly #tcp = new TcpHeader()

  /**
   * Reads super-frame `b[start, end)`, behind up to 4 VLAN tags. False when the octets do not fit the type in its
   * virtio header, are cut short, or are an IP fragment; the fields are then stale.
   */
  decode(b: Uint8Array, start: number, end: number): boolean {
    const type = gsoType(b, start) & ~GSO_ECN
    if (type !== GSO_TCPV4 && type !== GSO_TCPV6 && type !== GSO_UDP_L4) return false
    const ethernet = this.#ethernet
    if (!ethernet.decode(b, start, end)) return false
    this.network = ethernet.payload
    this.isTcp = type !== GSO_UDP_L4
    const protocol = this.isTcp ? PROTOCOL_TCP : PROTOCOL_UDP
    if (ethernet.etherType === ETHERTYPE_IPV4 && type !== GSO_TCPV6) {
      const ipv4 = this.#ipv4
      if (!ipv4.decode(b, this.network, end) || ipv4.isFragment || ipv4.protocol !== protocol) return false
      this.isIpv6 = false
      this.transport = ipv4.payload
      this.finalDestination = this.network + IPV4_DESTINATION
    } else if (ethernet.etherType === ETHERTYPE_IPV6 && type !== GSO_TCPV4) {
      const ipv6 = this.#ipv6
      if (!ipv6.decode(b, this.network, end) || ipv6.isFragment || ipv6.protocol !== protocol) return false
      this.isIpv6 = true
      this.transport = ipv6.payload
      this.finalDestination = ipv6.finalDestination
    } else return false
    if (this.isTcp) {
      if (!this.#tcp.decode(b, this.transport, end)) return false
      this.payload = this.#tcp.payload
      return true
    }
    this.payload = this.transport + UDP_HEADER_LEN
    return this.payload <= end
  }
}

const header = new SuperFrameHeader()

/**
 * Octets from the start of super-frame `b[start, end)` to the end of its TCP or UDP header, which every wire frame cut
 * from it repeats; 0 when the octets do not fit the type in its virtio header or are cut short.
 */
export function superFrameHeaderLength(b: Uint8Array, start: number, end: number): number {
  return header.decode(b, start, end) ? header.payload - start : 0
}
