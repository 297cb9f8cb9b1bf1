/**
 * What a filter may ask of a frame: its addresses, protocol and ports, whatever tags are before them. Where a header is
 * missing or cut short its fields say so.
 */
import { ArpPacket } from '#net/wire/arp.ts'
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  EthernetHeader,
  HEADER_LEN,
} from '#net/wire/ethernet.ts'
import {
  IPV4_DESTINATION,
  IPV4_FRAGMENT,
  IPV4_SOURCE,
  Ipv4Header,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '#net/wire/ipv4.ts'
import { IPV6_DESTINATION, IPV6_HEADER_LEN, IPV6_SOURCE, Ipv6Header } from '#net/wire/ipv6.ts'
import { u16 } from '#net/wire/octets.ts'

/** No such header, or not in this frame. */
const ABSENT = -1
const SCTP = 132

/** Of one frame; the next `read` overwrites them. */
export class FrameFields {
  /** The frame is `b[start, end)`. */
  b: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
  /** Of the frame with its tags; none is valid when `hasHeader` is false. */
  readonly ethernet = new EthernetHeader()
  hasHeader = false
  /** Octets of its network addresses: 4 (IPv4, ARP), 16 or 0. */
  addressLength = 0
  /** Indexes in `b` of the network addresses; an ARP packet's sender and target are source and destination. */
  source = 0
  destination = 0
  /** Of IPv4, or behind IPv6's extension headers (IANA). */
  protocol = ABSENT
  /** Of TCP, UDP and SCTP, not in fragments but the first of IPv4. */
  sourcePort = ABSENT
  destinationPort = ABSENT
  readonly #arp = new ArpPacket()
  readonly #ipv4 = new Ipv4Header()
  readonly #ipv6 = new Ipv6Header()

  read(b: Uint8Array, start: number, end: number): void {
    this.b = b
    this.start = start
    this.end = end
    this.addressLength = 0
    this.protocol = ABSENT
    this.sourcePort = ABSENT
    this.destinationPort = ABSENT
    this.hasHeader = end - start >= HEADER_LEN && this.ethernet.decode(b, start, end)
    if (!this.hasHeader) return
    const { etherType, payload } = this.ethernet
    if (etherType === ETHERTYPE_IPV4) this.#readIpv4(payload)
    else if (etherType === ETHERTYPE_IPV6) this.#readIpv6(payload)
    else if (etherType === ETHERTYPE_ARP && this.#arp.decode(b, payload, end)) {
      this.#setAddresses(4, this.#arp.senderIp, this.#arp.targetIp)
    }
  }

  #readIpv4(at: number): void {
    const { b, end } = this
    const header = this.#ipv4
    if (!header.decode(b, at, end)) return
    this.#setAddresses(4, at + IPV4_SOURCE, at + IPV4_DESTINATION)
    this.protocol = header.protocol
    if ((u16(b, at + IPV4_FRAGMENT) & 0x1fff) === 0) this.#readPorts(header.payload)
  }

  #readIpv6(at: number): void {
    const { b, end } = this
    if (end - at < IPV6_HEADER_LEN) return
    this.#setAddresses(16, at + IPV6_SOURCE, at + IPV6_DESTINATION)
    const header = this.#ipv6
    if (!header.decode(b, at, end)) return
    this.protocol = header.protocol
    if (!header.isFragment) this.#readPorts(header.payload)
  }

  #setAddresses(length: number, source: number, destination: number): void {
    this.addressLength = length
    this.source = source
    this.destination = destination
  }

  #readPorts(at: number): void {
    const { protocol } = this
    if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP && protocol !== SCTP) return
    if (this.end - at < 4) return
    this.sourcePort = u16(this.b, at)
    this.destinationPort = u16(this.b, at + 2)
  }
}
