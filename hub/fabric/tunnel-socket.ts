/**
 * The fabric's end of run/tunnel.sock: a gateway connects, writes one JSON line (TunnelRequest), reads one JSON line
 * (`{"ok":true,"port":3,"token":...}` or `{"ok":false,"code":...,"message":...}`), and from there on both sides send frame records.
 */
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import type { Fabric, TunnelRequest } from '#hub/fabric/fabric.ts'
import { answerLine, readRequestLine } from '#hub/fabric/request-line.ts'

/** Reads the request from a fresh connection and joins it. Owns `fd`. */
export function answerTunnel(fd: number, fabric: Fabric): void {
  readRequestLine(fd, (line) => {
    try {
      fabric.joinTunnel(parse(line), fd, (port, token) => answerLine(fd, { ok: true, port, token }))
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : 'internal'
      answerLine(fd, { ok: false, code, message: reasonOf(error) })
      libc.close(fd)
    }
  })
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
    token: textOr(value['token'], '') || undefined,
    localAddress: text('localAddress'),
    peerAddress: text('peerAddress'),
    superFrames: value['superFrames'] === true,
    largestFrame: Number(value['largestFrame']) || 1514,
  }
}
