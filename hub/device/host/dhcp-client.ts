/**
 * A DHCP client of one interface (RFC 2131 §4.4): events and the time in, frames to send and the next deadline out. It
 * takes the first offer, renews, and asks for the address that it had when its link or its machine has been away.
 */
import {
  BOOT_REPLY,
  BOOT_REQUEST,
  decodeDhcp,
  DHCP_ACK,
  DHCP_DISCOVER,
  DHCP_NAK,
  DHCP_OFFER,
  DHCP_REQUEST,
  type DhcpMessage,
  encodeDhcp,
  octetOption,
  OPTION_ADDRESS,
  OPTION_CLIENT,
  OPTION_DOMAIN,
  OPTION_HOST_NAME,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_NAME_SERVERS,
  OPTION_PARAMETERS,
  OPTION_REBINDING_TIME,
  OPTION_RENEWAL_TIME,
  OPTION_ROUTERS,
  OPTION_ROUTES,
  OPTION_SERVER,
  OPTION_TYPE,
  wordOctets,
  wordOption,
} from '#net/wire/dhcp.ts'
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpFrame, dhcpFrame } from '#net/wire/dhcp-frame.ts'
import { type Lease, leaseOf } from '#hub/device/host/lease.ts'

const PARAMETERS = Uint8Array.of(
  OPTION_MASK,
  OPTION_ROUTES,
  OPTION_ROUTERS,
  OPTION_NAME_SERVERS,
  OPTION_DOMAIN,
  OPTION_LEASE_TIME,
  OPTION_RENEWAL_TIME,
  OPTION_REBINDING_TIME,
)
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 64_000
/** Requests that nobody answers before it looks for a server anew. */
const REQUESTS = 4
/** Between two tries to renew (§4.4.5). */
const LEAST_RENEWAL_MS = 60_000
const ALL_MAC = new Uint8Array(6).fill(0xff)
const NO_ADDRESS = new Uint8Array(4)
const ALL_ADDRESS = new Uint8Array(4).fill(0xff)

export interface DhcpClientOptions {
  /** 6 octets. */
  readonly mac: Uint8Array
  /** Tells servers, '' does not. */
  readonly hostname: string
  /** Had before, which is asked for first; 0: none. */
  readonly address: number
  /** From 0 to below 1. */
  readonly random: () => number
}

/** Named after what it waits for; RFC 2131 figure 5. */
type State = 'selecting' | 'requesting' | 'rebooting' | 'bound' | 'renewing' | 'rebinding'

export class DhcpClient {
  readonly #options: DhcpClientOptions
  readonly #frame = new DhcpFrame()
  #state: State = 'selecting'
  #transaction = 0
  /** When the exchange began. */
  #began = 0
  #tries = 0
  /** What is asked for, and from whom. */
  #wanted = 0
  #server = 0
  #serverMac: Uint8Array = ALL_MAC
  /** Of the lease, in the time of `now`. */
  #rebindAt = Infinity
  #expiresAt = Infinity
  /** What holds now; another object when something in it has changed. */
  lease: Lease | undefined
  /** When `tick` is due, in the time of `now`. */
  deadline = Infinity

  constructor(options: DhcpClientOptions) {
    this.#options = options
    this.#wanted = options.address
  }

  /** The link is there, for the first time or again. @returns the frame to send */
  linkUp(now: number): Uint8Array {
    return this.#wanted === 0 ? this.#discover(now) : this.#begin('rebooting', now)
  }

  /** The link is gone: what was given holds until its time is over. */
  linkDown(): void {
    this.#state = 'bound'
    this.deadline = this.lease ? this.#expiresAt : Infinity
  }

  /** The deadline has passed. @returns the frame to send, if any */
  tick(now: number): Uint8Array | undefined {
    if (now < this.deadline) return undefined
    if (this.lease && now >= this.#expiresAt) {
      this.#forget()
      return this.#discover(now)
    }
    switch (this.#state) {
      case 'selecting':
      case 'rebinding':
        break
      case 'requesting':
      case 'rebooting':
        return this.#tries < REQUESTS ? this.#repeat(now) : this.#discover(now)
      case 'bound':
        return this.#begin('renewing', now)
      case 'renewing':
        return now < this.#rebindAt ? this.#repeat(now) : this.#begin('rebinding', now)
    }
    return this.#repeat(now)
  }

  /** A frame has come. @returns the frame to send, if any */
  receive(b: Uint8Array, start: number, end: number, now: number): Uint8Array | undefined {
    const frame = this.#frame
    if (!frame.isTo(b, start, end, DHCP_CLIENT_PORT) || !frame.decode(b, start, end, false)) return undefined
    const message = decodeDhcp(b, frame.payload, frame.end)
    if (message?.operation !== BOOT_REPLY || message.transaction !== this.#transaction) return undefined
    if (this.#options.mac.some((octet, i) => octet !== message.mac[i])) return undefined
    switch (octetOption(message, OPTION_TYPE)) {
      case DHCP_OFFER:
        return this.#state === 'selecting' ? this.#choose(message, now) : undefined
      case DHCP_ACK:
        if (this.#state !== 'selecting' && this.#state !== 'bound')
          this.#bind(message, b.slice(start + 6, start + 12), now)
        return undefined
      case DHCP_NAK:
        if (this.#state !== 'selecting' && this.#state !== 'bound') this.#startOver(now)
        return undefined
      default:
        return undefined
    }
  }

  #choose(offer: DhcpMessage, now: number): Uint8Array | undefined {
    const server = wordOption(offer, OPTION_SERVER)
    if (server === 0 || leaseOf(offer) === undefined) return undefined
    this.#wanted = offer.yourAddress
    this.#server = server
    this.#state = 'requesting'
    this.#tries = 0
    return this.#repeat(now)
  }

  #bind(ack: DhcpMessage, from: Uint8Array, now: number): void {
    const lease = leaseOf(ack)
    if (lease === undefined) return
    const { seconds, renewSeconds, rebindSeconds } = lease
    this.#state = 'bound'
    this.#wanted = lease.address
    this.#server = wordOption(ack, OPTION_SERVER) || this.#server
    this.#serverMac = from
    this.#rebindAt = now + rebindSeconds * 1000
    this.#expiresAt = now + seconds * 1000
    this.deadline = now + renewSeconds * 1000
    this.lease = lease
  }

  /** What was asked for is refused: the pause keeps a server that refuses all from being asked without end. */
  #startOver(now: number): void {
    this.#forget()
    this.#wanted = 0
    this.#state = 'selecting'
    this.#tries = 0
    this.#began = now
    this.#transaction = this.#newTransaction()
    this.deadline = now + FIRST_WAIT_MS
  }

  #forget(): void {
    this.lease = undefined
    this.#expiresAt = Infinity
  }

  #discover(now: number): Uint8Array {
    return this.#begin('selecting', now)
  }

  #begin(state: State, now: number): Uint8Array {
    this.#state = state
    this.#tries = 0
    this.#began = now
    this.#transaction = this.#newTransaction()
    return this.#repeat(now)
  }

  #newTransaction(): number {
    return Math.floor(this.#options.random() * 2 ** 32)
  }

  /** Sends what the state asks for, and sets the time to do it again. */
  #repeat(now: number): Uint8Array {
    this.deadline = Math.min(now + this.#wait(now), this.#expiresAt)
    this.#tries++
    return this.#request(now)
  }

  #wait(now: number): number {
    if (this.#state === 'renewing')
      return Math.max((this.#rebindAt - now) / 2, Math.min(LEAST_RENEWAL_MS, this.#rebindAt - now))
    if (this.#state === 'rebinding') return Math.max((this.#expiresAt - now) / 2, LEAST_RENEWAL_MS)
    const spread = 0.9 + 0.2 * this.#options.random()
    return Math.min(FIRST_WAIT_MS * 2 ** Math.min(this.#tries, 10), LONGEST_WAIT_MS) * spread
  }

  #request(now: number): Uint8Array {
    const { mac, hostname } = this.#options
    const goesOn = this.#state === 'renewing' || this.#state === 'rebinding'
    const options: [number, Uint8Array][] = [
      [OPTION_TYPE, Uint8Array.of(this.#state === 'selecting' ? DHCP_DISCOVER : DHCP_REQUEST)],
      [OPTION_CLIENT, Uint8Array.of(1, ...mac)],
    ]
    if (!goesOn && this.#wanted !== 0) options.push([OPTION_ADDRESS, wordOctets(this.#wanted)])
    if (this.#state === 'requesting') options.push([OPTION_SERVER, wordOctets(this.#server)])
    if (hostname !== '') options.push([OPTION_HOST_NAME, new TextEncoder().encode(hostname)])
    options.push([OPTION_PARAMETERS, PARAMETERS])
    const message = encodeDhcp({
      operation: BOOT_REQUEST,
      transaction: this.#transaction,
      seconds: Math.min(0xffff, Math.floor((now - this.#began) / 1000)),
      wantsBroadcast: false,
      clientAddress: goesOn ? this.#wanted : 0,
      yourAddress: 0,
      relayAddress: 0,
      mac,
      options: new Map(options),
    })
    const toServer = this.#state === 'renewing'
    return dhcpFrame(
      {
        sourceMac: mac,
        // Whoever has sent its answer is the server or leads to it.
        destinationMac: toServer ? this.#serverMac : ALL_MAC,
        source: goesOn ? wordOctets(this.#wanted) : NO_ADDRESS,
        destination: toServer ? wordOctets(this.#server) : ALL_ADDRESS,
        sourcePort: DHCP_CLIENT_PORT,
        destinationPort: DHCP_SERVER_PORT,
      },
      message,
    )
  }
}
