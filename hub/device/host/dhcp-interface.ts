/** DHCP on one interface: the client with a socket, a clock, and an eye on the link. */
import { randomBytes } from 'node:crypto'
import { isLinkRunning } from '#net/port/nic/link.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'
import { DhcpClient } from '#hub/device/host/dhcp-client.ts'
import { DhcpSocket } from '#hub/device/host/dhcp-socket.ts'
import type { Lease } from '#hub/device/host/lease.ts'

export interface DhcpInterfaceOptions {
  readonly name: string
  /** `02:00:00:00:00:01` */
  readonly mac: string
  readonly hostname: string
  /** Had before; 0: none. */
  readonly address: number
  readonly onLease: (lease: Lease | undefined) => void
}

export class DhcpInterface {
  readonly #options: DhcpInterfaceOptions
  readonly #client: DhcpClient
  readonly #socket: DhcpSocket
  readonly #unwatchLinks: () => void
  #timer: NodeJS.Timeout | undefined
  #hasCarrier = false
  #told: Lease | undefined

  /** @throws SystemError */
  constructor(options: DhcpInterfaceOptions) {
    const { name, mac, hostname, address } = options
    this.#options = options
    this.#client = new DhcpClient({
      mac: Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16)),
      hostname,
      address,
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
    })
    this.#socket = new DhcpSocket(name, (b, end) =>
      this.#do(this.#client.receive(b, 0, end, performance.now())),
    )
    this.#unwatchLinks = watchLinks(() => this.#followLink())
    this.#followLink()
  }

  get lease(): Lease | undefined {
    return this.#client.lease
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#unwatchLinks()
    this.#socket.close()
  }

  #followLink(): void {
    const hasCarrier = isLinkRunning(this.#options.name)
    if (hasCarrier === this.#hasCarrier) return
    this.#hasCarrier = hasCarrier
    if (!hasCarrier) this.#client.linkDown()
    this.#do(hasCarrier ? this.#client.linkUp(performance.now()) : undefined)
  }

  #do(frame: Uint8Array | undefined): void {
    const client = this.#client
    if (frame) this.#socket.send(frame)
    if (client.lease !== this.#told) {
      this.#told = client.lease
      this.#options.onLease(client.lease)
    }
    clearTimeout(this.#timer)
    const waitMs = client.deadline - performance.now()
    if (waitMs !== Infinity)
      this.#timer = setTimeout(() => this.#do(client.tick(performance.now())), Math.max(1, Math.ceil(waitMs)))
  }
}
