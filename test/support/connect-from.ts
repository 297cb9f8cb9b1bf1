/** TCP connections that the test itself makes from inside a namespace, for peers that do what no program would. */
import { closeSync, openSync } from 'node:fs'
import net from 'node:net'
import koffi from 'koffi'
import type { Namespace } from '#test/support/netns.ts'

const CLONE_NEWNET = 0x4000_0000
const setns = koffi.load('libc.so.6').func('int setns(int, int)') as (fd: number, type: number) => number

export interface Peer {
  host: string
  port: number
  /** Own address, when the namespace has several. */
  localAddress?: string
}

function enter(path: string): void {
  const fd = openSync(path, 'r')
  const failed = setns(fd, CLONE_NEWNET) !== 0
  closeSync(fd)
  if (failed) throw new Error(`cannot enter ${path}`)
}

/**
 * Starts a connection from `from`. A socket belongs for good to the network in which it was made, and Node makes it in
 * the next tick; so this thread is there until then.
 */
export function connectFrom(from: Namespace, { host, port, localAddress }: Peer): net.Socket {
  const own = `/proc/${process.pid}/task/${process.pid}/ns/net`
  const back = openSync(own, 'r')
  enter(`/run/netns/${from.name}`)
  const socket = net.connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
  process.nextTick(() => {
    setns(back, CLONE_NEWNET)
    closeSync(back)
  })
  return socket
}
