/** A listening TCP socket that several processes may have on the same address: SO_REUSEPORT spreads the connections. */
import { isIPv6 } from 'node:net'
import * as libc from '#net/port/libc.ts'
import { putU16, putU16le } from '#net/wire/octets.ts'

const AF_INET6 = 10
const SO_REUSEADDR = 2
const SO_REUSEPORT = 15
const BACKLOG = 512

/**
 * @param address  numeric, IPv4 or IPv6
 * @returns the listening descriptor, which the caller owns
 * @throws SystemError EADDRINUSE when a socket that does not share has the address
 */
export function listenShared(address: string, port: number): number {
  return bindTcp(address, port, { shared: true, backlog: BACKLOG })
}

/** Whether anybody, sharing or not, has the address; or it cannot be had for another reason, which is thrown. */
export function probeAddress(address: string, port: number): void {
  libc.close(bindTcp(address, port, { shared: false, backlog: 0 }))
}

export function bindTcp(
  address: string,
  port: number,
  options: { shared: boolean; backlog: number },
): number {
  const v6 = isIPv6(address)
  const what = `cannot listen on ${v6 ? `[${address}]` : address}:${port}`
  const fd = libc.socket(
    v6 ? AF_INET6 : libc.AF_INET,
    libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC,
    0,
  )
  if (fd < 0) throw libc.systemError(what)
  const one = libc.intOctets(1)
  libc.setsockopt(fd, libc.SOL_SOCKET, SO_REUSEADDR, one, 4)
  if (options.shared) libc.setsockopt(fd, libc.SOL_SOCKET, SO_REUSEPORT, one, 4)
  const socketAddress = new Uint8Array(v6 ? 28 : 16)
  putU16le(socketAddress, 0, v6 ? AF_INET6 : libc.AF_INET)
  putU16(socketAddress, 2, port)
  socketAddress.set(v6 ? ipv6Octets(address) : address.split('.').map(Number), v6 ? 8 : 4)
  if (
    libc.bind(fd, socketAddress, socketAddress.length) < 0 ||
    (options.backlog > 0 && libc.listen(fd, options.backlog) < 0)
  ) {
    const error = libc.systemError(what, {
      [98]: 'another program listens there; choose another address with --ssh',
      [99]: 'no interface of this host has the address',
      [libc.EACCES]: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
    })
    libc.close(fd)
    throw error
  }
  return fd
}

/** The octets of an address in the text of RFC 4291 §2.2, one that isIPv6 accepts and has no zone. */
export function ipv6Octets(text: string): Uint8Array {
  const octets = new Uint8Array(16)
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const [, before = '', a, b, c, d] = dotted ?? []
  const [front = '', back] = (dotted ? `${before}${pairInHex(a, b)}:${pairInHex(c, d)}` : text).split('::')
  putGroups(octets, groupsOf(front), 0)
  if (back !== undefined) putGroups(octets, groupsOf(back), 16 - groupsOf(back).length * 2)
  return octets
}

const pairInHex = (high: unknown, low: unknown): string => ((Number(high) << 8) | Number(low)).toString(16)

const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'))

function putGroups(octets: Uint8Array, groups: readonly string[], at: number): void {
  for (const [i, group] of groups.entries()) putU16(octets, at + i * 2, Number.parseInt(group, 16))
}
