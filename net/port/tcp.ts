/**
 * TCP sockets made here rather than by Node, so that they can be set up before they connect. Linux tcp(7); elsewhere
 * nothing is made and nothing set.
 */
import { hasLibc } from '#net/port/c-library.ts'
import * as libc from '#net/port/libc.ts'
import { u32le } from '#net/wire/octets.ts'

const IPPROTO_IP = 0
const IP_MTU = 14
const IPPROTO_TCP = 6
const TCP_MAXSEG = 2
const TCP_CONGESTION = 13
const TCP_USER_TIMEOUT = 18
const IPPROTO_IPV6 = 41
const IPV6_MTU = 24
/** TCP_CA_NAME_MAX. */
const NAME_OCTETS = 16

/** @returns a non-blocking descriptor, which the caller owns; negative when there is none (`libc.errno` says why) */
export function openTcpSocket(family: 4 | 6): number {
  if (!hasLibc) return -1
  return libc.socket(
    family === 6 ? libc.AF_INET6 : libc.AF_INET,
    libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC,
    0,
  )
}

/**
 * Chooses the congestion control (`cubic`, `bbr`) of a connection, or of those that a listening socket will accept.
 * BBR, once it has begun, leaves a connection paced by timers for good: another choice is to be made before.
 * @returns false where the system refuses: its module is missing or not allowed, or `fd` is no TCP socket
 */
export function setCongestion(fd: number, name: string): boolean {
  if (!hasLibc) return false
  const octets = new TextEncoder().encode(name)
  return libc.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, octets, octets.length) === 0
}

/** What the system takes for the path's MTU, octets, of a connected socket; undefined when it does not tell. */
export function pathMtuOf(fd: number): number | undefined {
  if (!hasLibc) return undefined
  for (const [level, option] of [[IPPROTO_IP, IP_MTU] as const, [IPPROTO_IPV6, IPV6_MTU] as const]) {
    const value = libc.intOctets(0)
    if (libc.getsockopt(fd, level, option, value, libc.intOctets(4)) === 0) return u32le(value, 0)
  }
  return undefined
}

/**
 * Bounds the segments of a connection that is yet to be made, both ways: the far side is told so in the SYN.
 * @param octets  of payload and TCP options
 */
export function setSegmentSize(fd: number, octets: number): void {
  if (hasLibc) libc.setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, libc.intOctets(octets), 4)
}

/** The name of the congestion control; empty when `fd` is no TCP socket. */
export function congestionOf(fd: number): string {
  if (!hasLibc) return ''
  const name = new Uint8Array(NAME_OCTETS)
  const length = libc.intOctets(name.length)
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, length) < 0) return ''
  const end = name.indexOf(0)
  return new TextDecoder().decode(name.subarray(0, end < 0 ? NAME_OCTETS : end))
}

/**
 * Lets the system end a connection whose octets nobody acknowledges for `ms`, or takes for as long (RFC 5482). Without, it
 * goes on for a quarter of an hour.
 */
export function setUserTimeout(fd: number, ms: number): void {
  if (hasLibc) libc.setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, libc.intOctets(ms), 4)
}
