/** One line of text on a fresh connection to a socket of the fabric, which begins with it. */
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'

/** Octets: the longest filter, however it is written in JSON, and the rest. */
const LONGEST_LINE = 16_384
const TIMEOUT_MS = 5000

/**
 * Reads it; a peer that sends none in time, or anything behind it, is let go. Owns `fd` until then.
 * @param onLine  owns `fd` from now on
 */
export function readRequestLine(fd: number, onLine: (line: string) => void): void {
  const octets = new Uint8Array(LONGEST_LINE)
  let filled = 0
  const watcher = new Watcher(fd, () => {
    const count = libc.recvBuffer(fd, octets.subarray(filled), octets.length - filled, libc.MSG_DONTWAIT)
    if (count < 0 && libc.errno() === libc.EAGAIN) return
    filled += Math.max(count, 0)
    const isWhole = octets[filled - 1] === 0x0a
    if (count > 0 && !isWhole && filled < octets.length) return
    clearTimeout(timer)
    watcher.close(() => {
      if (isWhole) onLine(new TextDecoder().decode(octets.subarray(0, filled)))
      else libc.close(fd)
    })
  })
  const timer = setTimeout(() => watcher.close(() => libc.close(fd)), TIMEOUT_MS)
  watcher.watch(READABLE)
}

/** Says one JSON line. */
export function answerLine(fd: number, value: object): void {
  const line = new TextEncoder().encode(`${JSON.stringify(value)}\n`)
  libc.sendBuffer(fd, line, line.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
}
