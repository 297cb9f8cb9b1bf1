/** The management network of a topology, as the fabric is told of it, and the hub's host in it. */
import type { SwitchPort } from '#net/switch/switch.ts'
import { ipv4Number } from '#net/wire/ip-address.ts'
import { derivedMac } from '#hub/base/derived-mac.ts'
import { ManagementHost } from '#hub/fabric/management-host.ts'
import { ManagementPort } from '#hub/fabric/management-port.ts'

export interface ManagementConfig {
  readonly bridge: string
  /** `10.255.3.0/24`; the host's address is its first one. */
  readonly network: string
  readonly leases: readonly { readonly mac: string; readonly address: string; readonly hostname: string }[]
}

/** @param identity  the hub's own: the host's MAC address follows from it */
export function openManagementPort(
  config: ManagementConfig,
  identity: string,
  entry: SwitchPort,
): ManagementPort {
  const { bridge, network, leases } = config
  const [address = '', length = ''] = network.split('/')
  const host = new ManagementHost(
    {
      serverMac: derivedMac(identity, bridge, 'dhcp'),
      server: ipv4Number(address) + 1,
      mask: (-1 << (32 - Number(length))) >>> 0,
      leases: leases.map((lease) => ({ ...lease, address: ipv4Number(lease.address) })),
    },
    () => performance.now(),
  )
  return new ManagementPort(host, entry.counters, entry)
}
