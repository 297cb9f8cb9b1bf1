/** Tells when something changes in this network namespace: rtnetlink(7), by its groups. */
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { putU16le, putU32le } from '#net/wire/octets.ts'

const NETLINK_ROUTE = 0
const RTMGRP_LINK = 1
const RTMGRP_IPV4_IFADDR = 0x10
const RTMGRP_IPV4_ROUTE = 0x40
const RTMGRP_IPV6_IFADDR = 0x100
const RTMGRP_IPV6_ROUTE = 0x400
const RTMGRP_WAYS =
  RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE
const SOCKADDR_NL = 12

/** One socket for all who listen to the same groups. */
interface Watch {
  readonly listeners: Set<() => void>
  readonly watcher: Watcher
}
const watches = new Map<number, Watch>()

/** Calls `listener` after changes of interfaces until the returned function is called. What changed is for it to look up. */
export const watchLinks = (listener: () => void): (() => void) => watch(RTMGRP_LINK, listener)

/** The same of interfaces, addresses and routes: of all that decides which way packets go. */
export const watchWays = (listener: () => void): (() => void) => watch(RTMGRP_WAYS, listener)

function watch(groups: number, listener: () => void): () => void {
  const found = watches.get(groups) ?? open(groups)
  watches.set(groups, found)
  found.listeners.add(listener)
  return () => {
    found.listeners.delete(listener)
    if (found.listeners.size > 0 || watches.get(groups) !== found) return
    watches.delete(groups)
    found.watcher.close(() => {})
  }
}

/** @throws SystemError */
function open(groups: number): Watch {
  const fd = libc.socket(
    libc.AF_NETLINK,
    libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC,
    NETLINK_ROUTE,
  )
  const what = 'cannot watch the network interfaces'
  if (fd < 0) throw libc.systemError(what)
  const address = new Uint8Array(SOCKADDR_NL)
  putU16le(address, 0, libc.AF_NETLINK)
  putU32le(address, 8, groups)
  if (libc.bind(fd, address, SOCKADDR_NL) < 0) {
    const error = libc.systemError(what)
    libc.close(fd)
    throw error
  }
  const octets = new Uint8Array(16_384)
  const listeners = new Set<() => void>()
  const watcher = new Watcher(fd, (_events, failed) => {
    // An overrun (ENOBUFS) is told as a failure; the listeners look at the present state either way.
    for (let i = 0; i < 64 && libc.recvBuffer(fd, octets, octets.length, libc.MSG_DONTWAIT) > 0; i++);
    if (failed) watcher.watch(READABLE)
    for (const listener of Array.from(listeners)) listener()
  })
  watcher.watch(READABLE)
  const closeWatcher = watcher.close.bind(watcher)
  watcher.close = (done) =>
    closeWatcher(() => {
      libc.close(fd)
      done()
    })
  return { listeners, watcher }
}
