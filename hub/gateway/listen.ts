/** A listening TCP socket that several processes may have on the same address: SO_REUSEPORT spreads the connections. */
import { isIPv6 } from 'node:net'
import { allowFarSending } from '#net/port/far-buffers.ts'
import * as libc from '#net/port/libc.ts'
import { socketAddress } from '#net/port/socket-address.ts'
import { openTcpSocket, setCongestion } from '#net/port/tcp.ts'

const SO_REUSEADDR = 2
const SO_REUSEPORT = 15
const BACKLOG = 512

/**
 * Its connections begin with CUBIC, where the system has that, whatever its default is.
 * @param address  numeric, IPv4 or IPv6
 * @returns the listening descriptor, which the caller owns
 * @throws SystemError EADDRINUSE when a socket that does not share has the address
 */
export function listenShared(address: string, port: number, option = '--ssh'): number {
  return bindTcp(address, port, { shared: true, backlog: BACKLOG, option })
}

/** Whether anybody, sharing or not, has the address of `option`; or it cannot be had for another reason, which is thrown. */
export function probeAddress(address: string, port: number, option = '--ssh'): void {
  libc.close(bindTcp(address, port, { shared: false, backlog: 0, option }))
}

export function bindTcp(
  address: string,
  port: number,
  options: { shared: boolean; backlog: number; option?: string },
): number {
  const v6 = isIPv6(address)
  const what = `cannot listen on ${v6 ? `[${address}]` : address}:${port}`
  const fd = openTcpSocket(v6 ? 6 : 4)
  if (fd < 0) throw libc.systemError(what)
  const one = libc.intOctets(1)
  libc.setsockopt(fd, libc.SOL_SOCKET, SO_REUSEADDR, one, 4)
  if (options.shared) libc.setsockopt(fd, libc.SOL_SOCKET, SO_REUSEPORT, one, 4)
  // Which accepted connections inherit; the gateway that accepts them has no right to this any more.
  setCongestion(fd, 'cubic')
  allowFarSending(fd)
  const name = socketAddress(address, port)
  if (libc.bind(fd, name, name.length) < 0 || (options.backlog > 0 && libc.listen(fd, options.backlog) < 0)) {
    const error = libc.systemError(what, {
      [98]: `another program listens there; choose another address with ${options.option ?? '--ssh'}`,
      [99]: 'no interface of this host has the address',
      [libc.EACCES]: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
    })
    libc.close(fd)
    throw error
  }
  return fd
}
