/** Tells the packets of the tunnel's own connections from the frames of a LAN, as `packetFilter` does in the kernel. */
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, EthernetHeader } from '#net/wire/ethernet.ts'
import { IPV4_DESTINATION, IPV4_SOURCE, Ipv4Header, PROTOCOL_TCP } from '#net/wire/ipv4.ts'
import {
  IPV6_DESTINATION,
  IPV6_HEADER_LEN,
  IPV6_NEXT_HEADER,
  IPV6_SOURCE,
  isExtension,
} from '#net/wire/ipv6.ts'
import { u16, u8 } from '#net/wire/octets.ts'
import { TCP_PORTS_LEN } from '#net/wire/tcp.ts'

/** A connection to a hub, from any port of this machine. */
export interface Connection {
  /** Address of this machine: 4 or 16 octets, as many as the hub's. */
  readonly own: Uint8Array
  readonly hub: Uint8Array
  /** The hub's TCP port. */
  readonly port: number
}

/** In the place of a port: the packet does not show its ports. */
const ANY_PORT = -1

export class ConnectionMatcher {
  connections: readonly Connection[] = []
  readonly #ethernet = new EthernetHeader()
  readonly #ipv4 = new Ipv4Header()

  /**
   * Whether the frame `b[start, end)` is a TCP packet between both addresses of a connection, to or from the hub's port.
   * What does not show its ports is one too: fragments, and over IPv6 whatever has extension headers.
   */
  matches(b: Uint8Array, start: number, end: number): boolean {
    const ethernet = this.#ethernet
    if (!ethernet.decode(b, start, end)) return false
    const at = ethernet.payload
    if (ethernet.etherType === ETHERTYPE_IPV4) return this.#matchesIpv4(b, at, end)
    return ethernet.etherType === ETHERTYPE_IPV6 && this.#matchesIpv6(b, at, end)
  }

  #matchesIpv4(b: Uint8Array, at: number, end: number): boolean {
    const ipv4 = this.#ipv4
    if (!ipv4.decode(b, at, end) || ipv4.protocol !== PROTOCOL_TCP) return false
    const ports = ipv4.isFragment ? ANY_PORT : ipv4.payload
    return this.#isKnown(b, at + IPV4_SOURCE, at + IPV4_DESTINATION, ports, end, 4)
  }

  #matchesIpv6(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < IPV6_HEADER_LEN || u8(b, at) >>> 4 !== 6) return false
    const next = u8(b, at + IPV6_NEXT_HEADER)
    if (next !== PROTOCOL_TCP && !isExtension(next)) return false
    const ports = next === PROTOCOL_TCP ? at + IPV6_HEADER_LEN : ANY_PORT
    return this.#isKnown(b, at + IPV6_SOURCE, at + IPV6_DESTINATION, ports, end, 16)
  }

  /** @param ports  index of both ports, or ANY_PORT */
  #isKnown(
    b: Uint8Array,
    source: number,
    destination: number,
    ports: number,
    end: number,
    length: number,
  ): boolean {
    if (ports !== ANY_PORT && end - ports < TCP_PORTS_LEN) return false
    for (const { own, hub, port } of this.connections) {
      if (hub.length !== length) continue
      if (
        (ports === ANY_PORT || u16(b, ports + 2) === port) &&
        isAt(b, source, own) &&
        isAt(b, destination, hub)
      )
        return true
      if ((ports === ANY_PORT || u16(b, ports) === port) && isAt(b, source, hub) && isAt(b, destination, own))
        return true
    }
    return false
  }
}

function isAt(b: Uint8Array, at: number, address: Uint8Array): boolean {
  for (let i = 0; i < address.length; i++) if (u8(b, at + i) !== u8(address, i)) return false
  return true
}
