/**
 * The hub's host in the management network of a topology, its first address: frame in, frame out. It is there for DHCP
 * (dhcp-server.ts), and answers ARP and ping, so that people see that it is there. It sends nothing by itself.
 */
import { DROP_MALFORMED, DROP_QUEUE_FULL } from '#net/port/counters.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket, ARP_LEN, putArp } from '#net/wire/arp.ts'
import { sum } from '#net/wire/checksum.ts'
import {
  decodeDhcp,
  DHCP_NAK,
  type DhcpMessage,
  encodeDhcp,
  octetOption,
  OPTION_TYPE,
  wordOctets,
} from '#net/wire/dhcp.ts'
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpFrame, dhcpFrame } from '#net/wire/dhcp-frame.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, HEADER_LEN, putEthernet } from '#net/wire/ethernet.ts'
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_HEADER_LEN, IcmpHeader, putEcho } from '#net/wire/icmp.ts'
import {
  IPV4_DESTINATION,
  IPV4_HEADER_LEN,
  IPV4_SOURCE,
  Ipv4Header,
  PROTOCOL_ICMP,
  putIpv4,
} from '#net/wire/ipv4.ts'
import { u16, u32, u8 } from '#net/wire/octets.ts'
import { type DhcpNetwork, DhcpServer } from '#hub/fabric/dhcp-server.ts'

/** Answers a second, of all kinds: 240 devices that start at once get theirs. */
const ANSWERS_A_SECOND = 1000
const BROADCAST_MAC = new Uint8Array(6).fill(0xff)
const BROADCAST = 0xffffffff

export interface ManagementNetwork extends DhcpNetwork {
  /** The host's own, 6 octets. */
  readonly serverMac: Uint8Array
}

export class ManagementHost {
  readonly #network: ManagementNetwork
  readonly #now: () => number
  readonly #address: Uint8Array
  readonly #dhcp: DhcpServer
  readonly #arp = new ArpPacket()
  readonly #ipv4 = new Ipv4Header()
  readonly #icmp = new IcmpHeader()
  readonly #dhcpFrame = new DhcpFrame()
  #second = 0
  #left = ANSWERS_A_SECOND
  /** DROP_* of the last frame that was for this host and went no further; -1: of none. */
  dropped = -1

  /** @param now  monotonic milliseconds */
  constructor(network: ManagementNetwork, now: () => number) {
    this.#network = network
    this.#now = now
    this.#address = wordOctets(network.server)
    this.#dhcp = new DhcpServer(network)
  }

  /** The answer to a wire frame, or null; sets `dropped`. */
  answer(b: Uint8Array, start: number, end: number): Uint8Array | null {
    this.dropped = -1
    if (end - start < HEADER_LEN) return null
    const isBroadcast = holds(b, start, BROADCAST_MAC)
    if (!isBroadcast && !holds(b, start, this.#network.serverMac)) return null
    const type = u16(b, start + 12)
    if (type === ETHERTYPE_ARP) return this.#answerArp(b, start, end)
    if (type !== ETHERTYPE_IPV4) return null
    if (this.#dhcpFrame.isTo(b, start, end, DHCP_SERVER_PORT)) return this.#answerDhcp(b, start, end)
    return isBroadcast ? null : this.#answerEcho(b, start, end)
  }

  #answerArp(b: Uint8Array, start: number, end: number): Uint8Array | null {
    const arp = this.#arp
    if (!arp.decode(b, start + HEADER_LEN, end)) return this.#drop(DROP_MALFORMED)
    const { serverMac } = this.#network
    if (arp.operation !== ARP_REQUEST || !holds(b, arp.targetIp, this.#address)) return null
    if (!this.#mayAnswer()) return null
    const asking = b.subarray(arp.senderMac, arp.senderMac + 6)
    const from = b.subarray(arp.senderIp, arp.senderIp + 4)
    const reply = new Uint8Array(HEADER_LEN + ARP_LEN)
    const at = putEthernet(reply, 0, b.subarray(start + 6, start + 12), serverMac, ETHERTYPE_ARP)
    putArp(reply, at, ARP_REPLY, serverMac, this.#address, asking, from)
    return reply
  }

  #answerEcho(b: Uint8Array, start: number, end: number): Uint8Array | null {
    const ip = this.#ipv4
    const at = start + HEADER_LEN
    if (!ip.decode(b, at, end)) return this.#drop(DROP_MALFORMED)
    const { server, serverMac, mask } = this.#network
    const source = u32(b, at + IPV4_SOURCE)
    const isNeighbour = (source & mask) === (server & mask)
    if (
      ip.protocol !== PROTOCOL_ICMP ||
      ip.isFragment ||
      u32(b, at + IPV4_DESTINATION) !== server ||
      !isNeighbour
    )
      return null
    const icmpEnd = at + ip.totalLength
    if (icmpEnd > end || !this.#icmp.decode(b, ip.payload, icmpEnd) || sum(b, ip.payload, icmpEnd) !== 0xffff)
      return this.#drop(DROP_MALFORMED)
    if (this.#icmp.type !== ICMP_ECHO_REQUEST || !this.#mayAnswer()) return null
    const { identifier, sequence } = this.#icmp
    const length = icmpEnd - ip.payload
    const reply = new Uint8Array(HEADER_LEN + IPV4_HEADER_LEN + length)
    const network = putEthernet(reply, 0, b.subarray(start + 6, start + 12), serverMac, ETHERTYPE_IPV4)
    const client = b.subarray(at + IPV4_SOURCE, at + IPV4_SOURCE + 4)
    const to = putIpv4(
      reply,
      network,
      IPV4_HEADER_LEN + length,
      ip.identification,
      PROTOCOL_ICMP,
      this.#address,
      client,
    )
    reply.set(b.subarray(ip.payload + ICMP_HEADER_LEN, icmpEnd), to + ICMP_HEADER_LEN)
    putEcho(reply, to, reply.length, ICMP_ECHO_REPLY, identifier, sequence, 0)
    return reply
  }

  /** Whoever is not of the topology is not looked at: neither answered nor counted. */
  #answerDhcp(b: Uint8Array, start: number, end: number): Uint8Array | null {
    const frame = this.#dhcpFrame
    if (!this.#dhcp.knows(b, start + 6)) return null
    if (!frame.decode(b, start, end, true)) return this.#drop(DROP_MALFORMED)
    const request = decodeDhcp(b, frame.payload, frame.end)
    if (request === undefined) return this.#drop(DROP_MALFORMED)
    // A device asks for itself, as no client of another network may through it.
    if (request.mac.some((octet, i) => octet !== u8(b, start + 6 + i))) return this.#drop(DROP_MALFORMED)
    if (!this.#mayAnswer()) return null
    const reply = this.#dhcp.answer(request)
    return reply === undefined ? null : this.#framed(reply)
  }

  /** To the client's address if it has one, to everybody if it asks for that, else to the address that it gets (§4.1). */
  #framed(reply: DhcpMessage): Uint8Array {
    const { serverMac } = this.#network
    const isNak = octetOption(reply, OPTION_TYPE) === DHCP_NAK
    const isBroadcast = isNak || (reply.clientAddress === 0 && reply.wantsBroadcast)
    const single = reply.clientAddress === 0 ? reply.yourAddress : reply.clientAddress
    return dhcpFrame(
      {
        sourceMac: serverMac,
        destinationMac: isBroadcast ? BROADCAST_MAC : reply.mac,
        source: this.#address,
        destination: wordOctets(isBroadcast ? BROADCAST : single),
        sourcePort: DHCP_SERVER_PORT,
        destinationPort: DHCP_CLIENT_PORT,
      },
      encodeDhcp(reply),
    )
  }

  #mayAnswer(): boolean {
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#left = ANSWERS_A_SECOND
    }
    if (this.#left > 0) {
      this.#left--
      return true
    }
    this.dropped = DROP_QUEUE_FULL
    return false
  }

  #drop(reason: number): null {
    this.dropped = reason
    return null
  }
}

/** Octet by octet: a number of 32 bits may be one that V8 keeps on its heap. */
function holds(b: Uint8Array, at: number, octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) if (u8(b, at + i) !== u8(octets, i)) return false
  return true
}
