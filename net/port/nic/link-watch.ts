/** Tells when any network interface of this namespace changes: rtnetlink(7), group RTMGRP_LINK. */
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { putU16le, putU32le } from '#net/wire/octets.ts'

const NETLINK_ROUTE = 0
const RTMGRP_LINK = 1
const SOCKADDR_NL = 12

const listeners = new Set<() => void>()
let watcher: Watcher | undefined

/** Calls `listener` after changes until the returned function is called. What changed is for it to look up. */
export function watchLinks(listener: () => void): () => void {
  watcher ??= open()
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0 || !watcher) return
    const closing = watcher
    watcher = undefined
    closing.close(() => {})
  }
}

function open(): Watcher {
  const fd = libc.socket(
    libc.AF_NETLINK,
    libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC,
    NETLINK_ROUTE,
  )
  if (fd < 0) throw libc.systemError('cannot watch the network interfaces')
  const address = new Uint8Array(SOCKADDR_NL)
  putU16le(address, 0, libc.AF_NETLINK)
  putU32le(address, 8, RTMGRP_LINK)
  if (libc.bind(fd, address, SOCKADDR_NL) < 0) {
    const error = libc.systemError('cannot watch the network interfaces')
    libc.close(fd)
    throw error
  }
  const octets = new Uint8Array(16_384)
  const made = new Watcher(fd, (_events, failed) => {
    // An overrun (ENOBUFS) is told as a failure; the listeners look at the present state either way.
    for (let i = 0; i < 64 && libc.recvBuffer(fd, octets, octets.length, libc.MSG_DONTWAIT) > 0; i++);
    if (failed) made.watch(READABLE)
    for (const listener of Array.from(listeners)) listener()
  })
  made.watch(READABLE)
  const closeWatcher = made.close.bind(made)
  made.close = (done) =>
    closeWatcher(() => {
      libc.close(fd)
      done()
    })
  return made
}
