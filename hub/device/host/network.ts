/**
 * A host's network as its configuration says: addresses, routes, DHCP, in the network namespace of this process, where
 * its interfaces are. What cannot be done is told, and the rest is done.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { fileReasonOf, reasonOf } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'
import { ipv4Number, ipv4Text } from '#net/wire/ip-address.ts'
import type { PlannedDevice } from '#hub/base/topology-plan.ts'
import type { HostConfiguration } from '#hub/base/host-configuration.ts'
import { DhcpInterface } from '#hub/device/host/dhcp-interface.ts'
import { ipBatch } from '#hub/device/host/ip-batch.ts'
import type { Lease } from '#hub/device/host/lease.ts'
import { kernelSettings, leaseLines, linkLines, routeLines } from '#hub/device/host/network-commands.ts'
import { resolverText } from '#hub/device/host/resolver.ts'

/** In the working directory: addresses that DHCP gave last, by interface. */
const LEASES = 'leases.json'

export interface HostNetworkOptions {
  readonly device: Pick<PlannedDevice, 'hostname' | 'interfaces'>
  readonly configuration: HostConfiguration
  /** What could not be done. */
  readonly warn: (text: string) => void
}

export class HostNetwork {
  readonly #options: HostNetworkOptions
  readonly #dhcp: DhcpInterface[] = []
  readonly #leases = new Map<string, Lease>()
  #resolver: string
  #onResolver: ((text: string) => void) | undefined
  /** Leases are applied one after the other. */
  #applied: Promise<void> = Promise.resolve()

  constructor(options: HostNetworkOptions) {
    this.#options = options
    const { configuration } = options
    this.#resolver = resolverText(configuration.nameservers, [])
  }

  /** Resolves when all is there that needs no server; never rejects. */
  async start(): Promise<void> {
    const { device, configuration } = this.#options
    const interfaces = Object.entries(configuration.interfaces)
    this.#setKernel()
    const asks = interfaces.some(([, { dhcp, slaac }]) => dhcp || slaac)
    const routes = routeLines(configuration.routes)
    await this.#run([...linkLines(configuration.interfaces), ...(asks ? [] : routes)])
    // A gateway may be on a network that DHCP is yet to tell.
    if (asks) await ipBatch(routes)
    const before = lastAddresses()
    for (const [name, { dhcp }] of interfaces) {
      const mac = device.interfaces.find((one) => one.name === name)?.mac
      if (dhcp && mac !== undefined) this.#startDhcp(name, mac, before.get(name) ?? 0)
    }
  }

  /** Tells what /etc/resolv.conf is to say, now and whenever that changes. */
  followResolver(onText: (text: string) => void): void {
    this.#onResolver = onText
    onText(this.#resolver)
  }

  close(): void {
    for (const dhcp of this.#dhcp) dhcp.close()
  }

  #startDhcp(name: string, mac: string, address: number): void {
    const { device, warn } = this.#options
    const onLease = (lease: Lease | undefined): void => {
      this.#applied = this.#applied.then(() => this.#apply(name, lease))
    }
    try {
      this.#dhcp.push(new DhcpInterface({ name, mac, hostname: device.hostname, address, onLease }))
    } catch (error) {
      warn(reasonOf(error))
    }
  }

  async #apply(name: string, lease: Lease | undefined): Promise<void> {
    const { configuration } = this.#options
    await this.#run(leaseLines(name, this.#leases.get(name), lease))
    if (lease) this.#leases.set(name, lease)
    else this.#leases.delete(name)
    // Those whose gateway has come within reach; the others were told of, or wait for another interface's.
    await ipBatch(routeLines(configuration.routes))
    this.#remember()
    const before = this.#resolver
    this.#resolver = resolverText(configuration.nameservers, [...this.#leases.values()])
    if (this.#resolver !== before) this.#onResolver?.(this.#resolver)
  }

  #remember(): void {
    const addresses = [...this.#leases].map(([name, { address }]) => [name, ipv4Text(address)])
    try {
      writeFileSync(`${LEASES}.new`, JSON.stringify(Object.fromEntries(addresses)), { mode: 0o600 })
      renameSync(`${LEASES}.new`, LEASES)
    } catch (error) {
      this.#options.warn(`leases are not kept for the next start: ${fileReasonOf(error)}`)
    }
  }

  async #run(lines: readonly string[]): Promise<void> {
    for (const failure of await ipBatch(lines)) this.#options.warn(failure)
  }

  /** In a container they may be read-only: then interfaces say a little more than they should. */
  #setKernel(): void {
    const failed: string[] = []
    let reason = ''
    for (const [path, value] of kernelSettings(this.#options.configuration.interfaces)) {
      try {
        writeFileSync(`/proc/sys/${path}`, value)
      } catch (error) {
        failed.push(path)
        reason = fileReasonOf(error)
      }
    }
    if (failed.length > 0)
      this.#options.warn(`kernel settings stay as they are: ${failed.slice(0, 3).join(', ')} ... (${reason})`)
  }
}

/** Of the time before a reset; what cannot be read is not there. */
function lastAddresses(): ReadonlyMap<string, number> {
  try {
    const value: unknown = JSON.parse(readFileSync(LEASES, 'utf8'))
    if (!isRecord(value)) return new Map()
    return new Map(
      Object.entries(value).flatMap(([name, text]) =>
        typeof text === 'string' && isIPv4(text) ? [[name, ipv4Number(text)] as const] : [],
      ),
    )
  } catch {
    return new Map()
  }
}
