/** Files of a host that follow from its configuration and leases: /etc/hosts, /etc/resolv.conf. */
import { ipv4Text } from '#net/wire/ip-address.ts'
import type { HostConfiguration } from '#hub/device/host/configuration.ts'
import type { Lease } from '#hub/device/host/lease.ts'

export interface AddressFiles {
  readonly hosts: string
  readonly resolvConf: string
}

const MOST_NAMESERVERS = 3

export function addressFiles(
  hostname: string,
  { interfaces, nameservers }: Pick<HostConfiguration, 'interfaces' | 'nameservers'>,
  leases: readonly Lease[],
): AddressFiles {
  const own = [...interfaces.values()].flatMap(({ addresses }) => addresses.map(({ address }) => address))
  const all = [...own, ...leases.map(({ address }) => ipv4Text(address))]
  const first = all.find((address) => !address.includes(':')) ?? '127.0.1.1'
  const second = all.find((address) => address.includes(':'))
  const names = [...nameservers, ...leases.flatMap((lease) => lease.nameservers)]
  const domains = leases.map(({ domain }) => domain).filter((domain) => domain !== '')
  return {
    hosts: lines([
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      ...[first, second].flatMap((address) => (address === undefined ? [] : `${address}\t${hostname}`)),
    ]),
    resolvConf: lines([
      ...(domains.length > 0 ? [`search ${[...new Set(domains)].join(' ')}`] : []),
      ...[...new Set(names)].slice(0, MOST_NAMESERVERS).map((address) => `nameserver ${address}`),
    ]),
  }
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('')
