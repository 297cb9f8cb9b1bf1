/** Whether the machine itself speaks IPv6 on an interface: link-local address, router solicitations, multicast reports. */
import { readFileSync, writeFileSync } from 'node:fs'
import { linkMtu } from '#net/port/nic/link.ts'

// Names of interfaces hold no slash.
const path = (name: string, what: 'disable_ipv6' | 'mtu'): string => `/proc/sys/net/ipv6/conf/${name}/${what}`

/** False as well when the kernel has no IPv6. */
export function isIpv6On(name: string): boolean {
  try {
    return readFileSync(path(name, 'disable_ipv6'), 'latin1').trim() === '0'
  } catch {
    return false
  }
}

/** @throws Error: EROFS in most containers, EACCES without CAP_NET_ADMIN */
export function setIpv6(name: string, on: boolean): void {
  writeFileSync(path(name, 'disable_ipv6'), on ? '0' : '1')
}

/**
 * The MTU that IPv6 has on an interface, in octets; undefined without IPv6. The kernel makes it the interface's when that
 * is set, and when the interface comes up.
 */
export function ipv6Mtu(name: string): number | undefined {
  try {
    return Number(readFileSync(path(name, 'mtu'), 'latin1'))
  } catch {
    return undefined
  }
}

/** The MTU of IPv6, when it is not the interface's. */
export function ownIpv6Mtu(name: string): number | undefined {
  try {
    const now = ipv6Mtu(name)
    return now === linkMtu(name) ? undefined : now
  } catch {
    return undefined // it is gone
  }
}

/** @throws Error: as `setIpv6`, EINVAL above the interface's own and below 1280 */
export function setIpv6Mtu(name: string, octets: number): void {
  writeFileSync(path(name, 'mtu'), String(octets))
}
