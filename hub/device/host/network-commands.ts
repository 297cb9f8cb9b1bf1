/** What a host's configuration and its leases mean to the kernel: lines for `ip -batch`, settings under /proc/sys. */
import { ipv4Text } from '#net/wire/ip-address.ts'
import type { HostConfiguration, HostRoute } from '#hub/base/host-configuration.ts'
import type { Lease } from '#hub/device/host/lease.ts'

/** Of what DHCP tells: what the file says itself comes before it. */
const ROUTE_METRIC = 100

/** A path under /proc/sys, and its value. */
type KernelSetting = readonly [path: string, value: string]

/** Before links are up, so that nothing is sent that nobody asked for. */
export function kernelSettings(interfaces: HostConfiguration['interfaces']): KernelSetting[] {
  const settings: KernelSetting[] = [
    // As the kernel has them: the machine may have others, which a new namespace takes over.
    ['net/ipv4/conf/all/rp_filter', '0'],
    ['net/ipv4/conf/default/rp_filter', '0'],
  ]
  for (const [name, { slaac }] of Object.entries(interfaces)) {
    const ipv6 = `net/ipv6/conf/${name}`
    settings.push(
      [`net/ipv4/conf/${name}/rp_filter`, '0'],
      [`${ipv6}/accept_ra`, slaac ? '2' : '0'],
      [`${ipv6}/autoconf`, slaac ? '1' : '0'],
      [`${ipv6}/router_solicitations`, slaac ? '-1' : '0'],
      [`${ipv6}/use_tempaddr`, '0'],
    )
  }
  return settings
}

/** All that the file says of links and addresses. */
export function linkLines(interfaces: HostConfiguration['interfaces']): string[] {
  const lines = ['link set dev lo up']
  for (const [name, { addresses, gateways, mtu }] of Object.entries(interfaces)) {
    if (mtu !== undefined) lines.push(`link set dev ${name} mtu ${mtu}`)
    lines.push(`link set dev ${name} up`)
    for (const { address, length } of addresses)
      lines.push(`address replace ${address}/${length} dev ${name} ${isIpv6(address) ? 'nodad' : 'brd +'}`)
    for (const gateway of gateways) lines.push(`route replace default via ${gateway} dev ${name}`)
  }
  return lines
}

export const routeLines = (routes: readonly HostRoute[]): string[] =>
  routes.map(({ destination: { address, length }, gateway, interface: name }) => {
    const at = name === undefined ? '' : ` dev ${name}`
    return `route replace ${address}/${length} via ${gateway}${at}`
  })

/** From one lease of an interface to the next, or to none. */
export function leaseLines(name: string, before: Lease | undefined, after: Lease | undefined): string[] {
  const lines: string[] = []
  if (before !== undefined && before.address !== after?.address)
    lines.push(`address delete ${ipv4Text(before.address)}/${before.length} dev ${name}`)
  if (after === undefined) return lines
  const { address, length, seconds, routes } = after
  lines.push(
    `address replace ${ipv4Text(address)}/${length} brd + dev ${name} valid_lft ${seconds} preferred_lft ${seconds}`,
  )
  const known = new Set(routes.map(({ destination }) => destination))
  for (const { destination } of before?.routes ?? [])
    if (before?.address === address && !known.has(destination))
      lines.push(`route delete ${destination} dev ${name} proto dhcp`)
  for (const { destination, gateway } of routes) {
    const via = gateway === '0.0.0.0' ? '' : ` via ${gateway} onlink`
    lines.push(`route replace ${destination}${via} dev ${name} proto dhcp metric ${ROUTE_METRIC}`)
  }
  return lines
}

const isIpv6 = (address: string): boolean => address.includes(':')
