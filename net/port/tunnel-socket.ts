/** The TCP connection under a tunnel: which congestion control it uses. Linux tcp(7). */
import type { Socket } from 'node:net'
import { isRecord } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import { u32le } from '#net/wire/octets.ts'

const IPPROTO_TCP = 6
const TCP_INFO = 11
const TCP_CONGESTION = 13
/** tcpi_min_rtt in struct tcp_info, microseconds. */
const MIN_RTT = 148
/** A local network, or less: no queue of an uplink is between. */
const SHORT_US = 5000

/**
 * On a short path switches the connection to CUBIC, where the system's choice is another one. BBR is made for long paths
 * and paces each segment by a timer, which costs more than the sending. Measured in namespaces on two cores, one TCP
 * flow through the tunnel: 3.2 Gbit/s with BBR, 3.3 to 4.7 after this switch (a connection that began with BBR goes on
 * being paced, at a higher rate), 4.8 to 5.3 where CUBIC is the system's choice. On a longer path that choice stays.
 * @returns whether the connection uses CUBIC by this call; false also where the system refuses, which does no harm
 */
export function preferCubicNearby(socket: Socket): boolean {
  const fd = descriptorOf(socket)
  if (fd < 0) return false
  const info = new Uint8Array(256)
  const length = libc.intOctets(info.length)
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length) < 0) return false
  if (u32le(length, 0) < MIN_RTT + 4 || u32le(info, MIN_RTT) > SHORT_US) return false
  const name = new TextEncoder().encode('cubic')
  return libc.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, name.length) === 0
}

/** Node keeps the descriptor in the handle under the socket; -1 when there is none. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd: unknown = isRecord(handle) ? Reflect.get(handle, 'fd') : undefined
  return typeof fd === 'number' ? fd : -1
}
