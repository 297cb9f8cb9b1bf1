/**
 * A peer that asks and does not read the answers. ssh2 answers whatever is asked, before the login as well, and keeps
 * what the connection does not take.
 */
import type { Socket } from 'node:net'

const PATIENCE_MS = 60_000

/**
 * With too much unread the peer is not heard any further until it has read, and not for ever. To be called when ssh2 has
 * the socket.
 * @param most  octets that may wait for the peer now
 */
export function holdWhileUnread(socket: Socket, most: () => number): void {
  let timer: NodeJS.Timeout | undefined
  socket.on('data', () => {
    if (socket.writableLength <= most() || timer !== undefined) return
    socket.pause()
    timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
  })
  socket.on('drain', () => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    socket.resume()
  })
  socket.on('close', () => clearTimeout(timer))
}
