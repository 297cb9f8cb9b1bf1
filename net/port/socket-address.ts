/** Internet socket addresses as the kernel takes them: struct sockaddr_in and sockaddr_in6, ip(7), ipv6(7). */
import { hasLibc } from '#net/port/c-library.ts'
import * as libc from '#net/port/libc.ts'
import { linkIndex } from '#net/port/nic/link.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { putU16, putU16le, putU32le, u16le } from '#net/wire/octets.ts'

const SOCKADDR_IN = 16
const SOCKADDR_IN6 = 28
const SCOPE = 24

/** @param address  numeric; one of IPv6 may have a zone (`fe80::1%eth0`) */
export function socketAddress(address: string, port: number): Uint8Array {
  const [plain = '', zone] = address.split('%')
  const octets = addressOctets(plain)
  const isV6 = octets.length === 16
  const name = new Uint8Array(isV6 ? SOCKADDR_IN6 : SOCKADDR_IN)
  putU16le(name, 0, isV6 ? libc.AF_INET6 : libc.AF_INET)
  putU16(name, 2, port)
  name.set(octets, isV6 ? 8 : 4)
  if (isV6 && zone !== undefined) putU32le(name, SCOPE, linkIndex(zone))
  return name
}

/**
 * The address of this machine, 4 or 16 octets, that the kernel would connect from: a UDP socket is connected, which
 * sends nothing. Undefined when there is no way to `address`.
 */
export function sourceAddress(address: string, port: number): Uint8Array | undefined {
  const remote = socketAddress(address, port)
  const fd = libc.socket(u16le(remote, 0), libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  const local = new Uint8Array(SOCKADDR_IN6)
  const isKnown =
    libc.connect(fd, remote, remote.length) === 0 &&
    libc.getsockname(fd, local, libc.intOctets(local.length)) === 0
  libc.close(fd)
  if (!isKnown) return undefined
  return remote.length === SOCKADDR_IN6 ? local.slice(8, 24) : local.slice(4, 8)
}

/** Whether this machine has a numeric address, as the kernel lets a socket have no other; true where nobody knows. */
export function isOwnAddress(address: string): boolean {
  if (!hasLibc) return true
  const name = socketAddress(address, 0)
  const fd = libc.socket(u16le(name, 0), libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) return true
  const isGone = libc.bind(fd, name, name.length) < 0 && libc.errno() === libc.EADDRNOTAVAIL
  libc.close(fd)
  return !isGone
}
