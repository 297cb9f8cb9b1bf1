/**
 * The fabric's end of run/tunnel.sock: a gateway connects, writes one JSON line (TunnelRequest), reads one JSON line
 * (`{"ok":true,"port":3}` or `{"ok":false,"code":...,"message":...}`), and from there on both sides send frame records.
 */
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import type { Fabric, TunnelRequest } from '#hub/fabric/fabric.ts'

const LONGEST_LINE = 4096
const REQUEST_TIMEOUT_MS = 5000

/** Reads the request from a fresh connection and joins it. Owns `fd`. */
export function answerTunnel(fd: number, fabric: Fabric): void {
  const octets = new Uint8Array(LONGEST_LINE)
  let filled = 0
  const watcher = new Watcher(fd, () => {
    const count = libc.recvBuffer(fd, octets.subarray(filled), octets.length - filled, libc.MSG_DONTWAIT)
    if (count < 0 && libc.errno() === libc.EAGAIN) return
    filled += Math.max(count, 0)
    const whole = octets[filled - 1] === 0x0a
    if (count > 0 && !whole && filled < octets.length) return
    if (whole) join()
    else drop()
  })
  const timer = setTimeout(() => drop(), REQUEST_TIMEOUT_MS)

  const drop = (): void => {
    clearTimeout(timer)
    watcher.close(() => libc.close(fd))
  }
  const join = (): void => {
    clearTimeout(timer)
    watcher.close(() => {
      try {
        const port = fabric.joinTunnel(parse(new TextDecoder().decode(octets.subarray(0, filled))), fd)
        answer(fd, { ok: true, port })
      } catch (error) {
        const code = error instanceof ProtocolError ? error.code : 'internal'
        answer(fd, { ok: false, code, message: reasonOf(error) })
        libc.close(fd)
      }
    })
  }
  watcher.watch(READABLE)
}

function answer(fd: number, value: object): void {
  const line = new TextEncoder().encode(`${JSON.stringify(value)}\n`)
  libc.sendBuffer(fd, line, line.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
}

function parse(line: string): TunnelRequest {
  const parsed: unknown = JSON.parse(line)
  const value = isRecord(parsed) ? parsed : {}
  const text = (field: keyof TunnelRequest): string => {
    const content = value[field]
    if (typeof content === 'string') return content
    throw new ProtocolError('malformed', `the tunnel request's ${field} is not text`)
  }
  return {
    kind: value['kind'] === 'plug' ? 'plug' : 'tunnel',
    bridge: text('bridge'),
    user: text('user'),
    name: text('name'),
    key: text('key'),
    localAddress: text('localAddress'),
    peerAddress: text('peerAddress'),
    superFrames: value['superFrames'] === true,
    largestFrame: Number(value['largestFrame']) || 1514,
  }
}
