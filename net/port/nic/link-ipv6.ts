/** Whether the machine itself speaks IPv6 on an interface: link-local address, router solicitations, multicast reports. */
import { readFileSync, writeFileSync } from 'node:fs'

// Names of interfaces hold no slash.
const path = (name: string): string => `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`

/** False as well when the kernel has no IPv6. */
export function isIpv6On(name: string): boolean {
  try {
    return readFileSync(path(name), 'latin1').trim() === '0'
  } catch {
    return false
  }
}

/** @throws Error: EROFS in most containers, EACCES without CAP_NET_ADMIN */
export function setIpv6(name: string, on: boolean): void {
  writeFileSync(path(name), on ? '0' : '1')
}
