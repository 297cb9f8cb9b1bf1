/** A host's /etc/resolv.conf, from its configuration and leases. */
import type { Lease } from '#hub/device/host/lease.ts'

/** What resolv.conf(5) takes. */
const MOST_NAMESERVERS = 3

/** @param nameservers  of the configuration: they come first */
export function resolverText(nameservers: readonly string[], leases: readonly Lease[]): string {
  const domains = new Set(leases.map(({ domain }) => domain).filter((domain) => domain !== ''))
  const servers = new Set([...nameservers, ...leases.flatMap((lease) => lease.nameservers)])
  const lines = [...servers].slice(0, MOST_NAMESERVERS).map((address) => `nameserver ${address}`)
  if (domains.size > 0) lines.unshift(`search ${[...domains].join(' ')}`)
  return lines.map((line) => `${line}\n`).join('')
}
