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

/** The network that this thread belongs to. */
const home = openSync(`/proc/${process.pid}/ns/net`, 'r')

function enter(network: number, name: string): void {
  if (setns(network, CLONE_NEWNET) !== 0) throw new Error(`cannot enter the network of ${name}`)
}

/**
 * Starts a connection from `from`. A socket belongs for good to the network in which it was made, and Node makes it in
 * the next tick: this thread is there for that tick, whatever else is done in the ticks around it.
 */
export function connectFrom(from: Namespace, { host, port, localAddress }: Peer): net.Socket {
  const there = openSync(`/run/netns/${from.name}`, 'r')
  process.nextTick(() => enter(there, from.name))
  const socket = net.connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
  process.nextTick(() => {
    enter(home, 'the test')
    closeSync(there)
  })
  return socket
}
