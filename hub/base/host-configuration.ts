/** What a host is told by its configuration file, as plans have it: read (hub/topology/host-configuration.ts), in JSON. */

export const SERVICES = ['ssh', 'http'] as const
type Service = (typeof SERVICES)[number]

export interface Prefix {
  /** Without the length. */
  readonly address: string
  readonly length: number
}

export interface HostInterface {
  readonly addresses: readonly Prefix[]
  /** At most one of each family. */
  readonly gateways: readonly string[]
  /** Asks for an IPv4 address. */
  readonly dhcp: boolean
  /** Takes IPv6 addresses and routers from router advertisements. */
  readonly slaac: boolean
  /** Octets; undefined: as it comes. */
  readonly mtu?: number | undefined
}

export interface HostRoute {
  readonly destination: Prefix
  readonly gateway: string
  /** Undefined: where the gateway is. */
  readonly interface?: string | undefined
}

export interface HostConfiguration {
  /** By name. */
  readonly interfaces: Readonly<Record<string, HostInterface>>
  readonly routes: readonly HostRoute[]
  readonly nameservers: readonly string[]
  readonly services: readonly Service[]
  /** Shell commands at its start; '' when there are none. */
  readonly run: string
}

export const EMPTY_CONFIGURATION: HostConfiguration = {
  interfaces: {},
  routes: [],
  nameservers: [],
  services: [],
  run: '',
}
