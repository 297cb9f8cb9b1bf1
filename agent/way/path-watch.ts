/** Looks at the TCP connections to the hub, and ends one whose path loses large packets: the next has smaller ones. */
import type { Socket } from 'node:net'

import { lowerSegmentSize } from '#agent/way/segment-size.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { descriptorOf, TcpInfo } from '#net/port/tcp-info.ts'
import { BlackHole } from '#net/tunnel/black-hole.ts'

const LOOK_MS = 300
const REMEDY =
  'let ICMP "fragmentation needed" and "packet too big" through, or lower the MTU of the interface'

interface WatchEvents {
  /** What was seen and is done, and how to mend the path, for people. */
  onBlackHole(found: string, remedy: string): void
}

/**
 * Connects, and again at once when it failed for large packets that were lost, with smaller ones.
 * @param connect  gives `watch` each connection as soon as it is made; it is looked at as long as it lives
 */
export async function pastBlackHoles<T>(
  events: WatchEvents,
  connect: (watch: (socket: Socket) => void) => Promise<T>,
): Promise<T> {
  for (;;) {
    let isEnded = false
    const watch = (socket: Socket): void =>
      watchPath(socket, (found, hasSmaller) => {
        isEnded = hasSmaller
        events.onBlackHole(found, REMEDY)
      })
    try {
      return await connect(watch)
    } catch (error) {
      if (!isEnded) throw error
    }
  }
}

function watchPath(socket: Socket, onBlackHole: (found: string, hasSmaller: boolean) => void): void {
  const address = plainAddress(socket.remoteAddress ?? '')
  const hole = new BlackHole()
  const info = new TcpInfo()
  const timer = setInterval(() => {
    if (!info.read(descriptorOf(socket)) || !hole.read(info, performance.now())) return
    clearInterval(timer)
    const what = `large packets to or from ${address} are lost on the way and small ones pass: a smaller MTU, and ICMP filtered`
    const size = lowerSegmentSize(address)
    if (size === undefined) return onBlackHole(what, false)
    onBlackHole(`${what}; connecting again with segments of ${size} octets`, true)
    // At once: an end in order would wait behind what is lost, and the hub for it.
    socket.resetAndDestroy()
  }, LOOK_MS)
  socket.once('close', () => clearInterval(timer))
}
