/** The way through HTTPS: SSH in the messages of a WebSocket (RFC 6455), which the hub or a proxy before it serves. */
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'

import { WebSocket } from 'ws'

import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { excerpt } from '#agent/excerpt.ts'
import { secure, type Trust } from '#agent/way/tls.ts'
import { nameOf, take, type Way } from '#agent/way/way.ts'
import { reasonOf } from '#net/base/errors.ts'
import { MESSAGE_OPTIONS, WebSocketStream } from '#net/port/tunnel/websocket-stream.ts'

const MAX_HEADER_OCTETS = 8192

/** @param path  that the hub serves it on, with `/` */
export const webSocketWay =
  (path: string, trust: Trust, below: Way): Way =>
  async (to, attempt) => {
    const connection = await secure(await below(to, attempt), to, trust, attempt)
    const host = isIPv6(to.host) ? `[${to.host}]` : to.host
    const url = `wss://${host}:${to.port}${path}`
    const stream = await take(connection, attempt, nameOf(to), () => open(url, connection.stream, nameOf(to)))
    return { ...connection, stream }
  }

/**
 * RFC 6455 §5.3 wants a random key, so that nobody can have a browser write octets of his choice for what is between to
 * misread (§10.3). Here they are SSH's, encrypted, inside of TLS; to mask them takes longer than all else together.
 */
const noMask = (key: Buffer): void => void key.fill(0)

function open(url: string, below: Duplex, name: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new ExitError(EXIT_UNREACHABLE, `${name} ${reason}`))
    // ws hands its options to http.request, which takes these.
    const request = { maxHeaderSize: MAX_HEADER_OCTETS, createConnection: () => below }
    const ws = new WebSocket(url, { ...MESSAGE_OPTIONS, ...request, generateMask: noMask })
    ws.once('open', () => resolve(new WebSocketStream(ws, below)))
    ws.once('unexpected-response', (_request, answer) => fail(refusalOf(answer)))
    ws.on('error', (error) =>
      fail(`does not answer as a hub does: ${excerpt(reasonOf(error))} (is it served with --https there?)`),
    )
  })
}

function refusalOf(answer: IncomingMessage): string {
  const status = answer.statusCode ?? 0
  const said = `${status} ${excerpt((answer.statusMessage ?? '').slice(0, 100))}`.trim()
  if (status === 404 || status === 200)
    return `has no hub on this path (${said}): see --https-path of the hub`
  if (status === 429 || status === 503) return `takes no more connections now (${said})`
  if (status >= 500) return `is a web server that does not reach the hub (${said})`
  return `does not let us in (${said})`
}
