/**
 * A DHCP server that gives each client the one address that is planned for it, and knows no other client (RFC 2131
 * §4.3): message in, message out. Nothing leads out of its network, so it names no router and no name server.
 */
import {
  BOOT_REPLY,
  BOOT_REQUEST,
  DHCP_ACK,
  DHCP_DISCOVER,
  DHCP_INFORM,
  DHCP_NAK,
  DHCP_OFFER,
  DHCP_REQUEST,
  type DhcpMessage,
  octetOption,
  OPTION_ADDRESS,
  OPTION_BROADCAST,
  OPTION_CLIENT,
  OPTION_HOST_NAME,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_REBINDING_TIME,
  OPTION_RENEWAL_TIME,
  OPTION_SERVER,
  OPTION_TYPE,
  wordOctets,
  wordOption,
} from '#net/wire/dhcp.ts'
import { u16, u32 } from '#net/wire/octets.ts'

const LEASE_SECONDS = 3600
const LONGEST_OPTION = 255

/** Of one client. */
export interface PlannedLease {
  /** `02:00:00:00:00:01` */
  readonly mac: string
  /** As a number of 32 bits, like all addresses here. */
  readonly address: number
  readonly hostname: string
}

export interface DhcpNetwork {
  /** The server's own. */
  readonly server: number
  readonly mask: number
  readonly leases: readonly PlannedLease[]
}

export class DhcpServer {
  readonly #network: DhcpNetwork
  /** By MAC address, as a number. */
  readonly #leases: ReadonlyMap<number, PlannedLease>

  constructor(network: DhcpNetwork) {
    this.#network = network
    this.#leases = new Map(
      network.leases.map((lease) => [Number.parseInt(lease.mac.replaceAll(':', ''), 16), lease]),
    )
  }

  /** Whether the MAC address at `b[at]` is a client's. */
  knows(b: Uint8Array, at: number): boolean {
    return this.#leases.has(macNumber(b, at))
  }

  /** @returns undefined when the message is not for this server, or says what nobody answers */
  answer(request: DhcpMessage): DhcpMessage | undefined {
    const lease = this.#leases.get(macNumber(request.mac, 0))
    if (lease === undefined || request.operation !== BOOT_REQUEST || request.relayAddress !== 0)
      return undefined
    switch (octetOption(request, OPTION_TYPE)) {
      case DHCP_DISCOVER:
        return this.#grant(DHCP_OFFER, request, lease)
      case DHCP_REQUEST:
        return this.#decide(request, lease)
      case DHCP_INFORM:
        return request.clientAddress === 0 ? undefined : this.#inform(request, lease)
      default:
        // DECLINE and RELEASE change nothing in what is planned.
        return undefined
    }
  }

  /** The request chooses among offers, or asks for an address that the client had, or goes on with it (§4.3.2). */
  #decide(request: DhcpMessage, lease: PlannedLease): DhcpMessage | undefined {
    const chosen = wordOption(request, OPTION_SERVER)
    if (chosen !== 0 && chosen !== this.#network.server) return undefined
    const wanted = request.clientAddress === 0 ? wordOption(request, OPTION_ADDRESS) : request.clientAddress
    return wanted === lease.address ? this.#grant(DHCP_ACK, request, lease) : this.#refuse(request)
  }

  #grant(type: number, request: DhcpMessage, lease: PlannedLease): DhcpMessage {
    const clientAddress = type === DHCP_ACK ? request.clientAddress : 0
    return this.#reply(type, { ...request, clientAddress }, lease.address, [
      [OPTION_LEASE_TIME, wordOctets(LEASE_SECONDS)],
      [OPTION_RENEWAL_TIME, wordOctets(LEASE_SECONDS / 2)],
      [OPTION_REBINDING_TIME, wordOctets((LEASE_SECONDS * 7) / 8)],
      ...this.#facts(lease),
    ])
  }

  /** For a client with an address of its own (§4.3.5): no lease, no address. */
  #inform(request: DhcpMessage, lease: PlannedLease): DhcpMessage {
    return this.#reply(DHCP_ACK, request, 0, this.#facts(lease))
  }

  #refuse(request: DhcpMessage): DhcpMessage {
    return this.#reply(DHCP_NAK, { ...request, clientAddress: 0, wantsBroadcast: true }, 0, [])
  }

  #facts({ hostname }: PlannedLease): [number, Uint8Array][] {
    const { server, mask } = this.#network
    return [
      [OPTION_MASK, wordOctets(mask)],
      [OPTION_BROADCAST, wordOctets((server | ~mask) >>> 0)],
      [OPTION_HOST_NAME, new TextEncoder().encode(hostname)],
    ]
  }

  #reply(
    type: number,
    request: DhcpMessage,
    yourAddress: number,
    options: readonly [number, Uint8Array][],
  ): DhcpMessage {
    const { transaction, wantsBroadcast, clientAddress, mac } = request
    // Clients tell their own by it (RFC 6842); one that needs several parts would make answers longer than frames.
    const told = request.options.get(OPTION_CLIENT)
    const client = told !== undefined && told.length <= LONGEST_OPTION ? told : undefined
    return {
      operation: BOOT_REPLY,
      transaction,
      seconds: 0,
      wantsBroadcast,
      clientAddress,
      yourAddress,
      relayAddress: 0,
      mac,
      options: new Map([
        [OPTION_TYPE, Uint8Array.of(type)],
        [OPTION_SERVER, wordOctets(this.#network.server)],
        ...options,
        ...(client === undefined ? [] : [[OPTION_CLIENT, client] as const]),
      ]),
    }
  }
}

const macNumber = (b: Uint8Array, at: number): number => u16(b, at) * 2 ** 32 + u32(b, at + 2)
