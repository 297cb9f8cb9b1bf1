/**
 * A peer that asks and does not read the answers. ssh2 answers whatever is asked, before the login as well, and keeps
 * what the connection does not take.
 */
import type { Duplex } from 'node:stream'

const PATIENCE_MS = 60_000

/**
 * With too much unread the peer is not heard any further until it has read, and not for ever. To be called when ssh2 has
 * the stream.
 * @param most  octets that may wait for the peer now
 */
export function holdWhileUnread(stream: Duplex, most: () => number): void {
  let timer: NodeJS.Timeout | undefined
  stream.on('data', () => {
    if (stream.writableLength <= most() || timer !== undefined) return
    stream.pause()
    timer = setTimeout(() => stream.destroy(), PATIENCE_MS)
  })
  stream.on('drain', () => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    stream.resume()
  })
  stream.on('close', () => clearTimeout(timer))
}
