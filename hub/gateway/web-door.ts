/**
 * The HTTP door of a gateway: a WebSocket (RFC 6455) on one path, which carries SSH, and nothing else. It knows nobody and
 * lets nobody in: it hands the stream of octets to the SSH server. TLS is made here, or by a reverse proxy on this machine.
 */
import http from 'node:http'
import { createServer, isIP, Socket, type Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { MESSAGE_OPTIONS, WebSocketStream } from '#net/port/tunnel/websocket-stream.ts'
import type { Logger } from '#hub/base/log.ts'
import { type Caller, callerOn } from '#hub/gateway/caller.ts'
import { Door } from '#hub/gateway/limits.ts'

/** From the connection to the WebSocket: TLS and one request. */
const UPGRADE_MS = 10_000
const MAX_HEADER_OCTETS = 8192

/** Of PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface WebDoorOptions {
  /** Begins with `/`. */
  readonly path: string
  /** Undefined: no TLS is served. */
  readonly certificate: Certificate | undefined
  /** Owns the caller's connection from then on. */
  readonly onCaller: (caller: Caller) => void
  readonly log: Logger
}

/** A connection that is no WebSocket yet. */
interface Visit {
  readonly caller: Caller
  readonly isProxied: boolean
  /** It is a WebSocket: what is unfinished here is not closed any more. */
  readonly done: () => void
}

export class WebDoor {
  readonly #options: WebDoorOptions
  readonly #http: http.Server
  readonly #sockets = new WebSocketServer({ ...MESSAGE_OPTIONS, noServer: true, clientTracking: false })
  readonly #listeners: TcpServer[] = []
  readonly #visits = new WeakMap<Duplex, Visit>()
  readonly #door = new Door()
  readonly #open = new Set<Socket>()
  #context: SecureContext | undefined
  #saidNameless = false

  /** @throws what OpenSSL says of a certificate that cannot be used */
  constructor(options: WebDoorOptions) {
    this.#options = options
    if (options.certificate) this.replaceCertificate(options.certificate)
    // It never listens: connections come from `#accept`, which also limits their time.
    this.#http = http.createServer({ maxHeaderSize: MAX_HEADER_OCTETS }, (request, response) =>
      this.#answer(request, response),
    )
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** For connections from now on. @throws what OpenSSL says of one that cannot be used */
  replaceCertificate({ cert, key }: Certificate): void {
    this.#context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' })
  }

  /**
   * @param fd  a listening socket; belongs to the door from now on
   * @param isProxied  a reverse proxy connects to it, with HTTP; else clients do, with HTTPS
   */
  async listen(fd: number, isProxied: boolean): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket, isProxied))
    this.#listeners.push(server)
    server.on('error', (error) =>
      this.#options.log.error({ err: error }, `cannot accept connections: ${error.message}`),
    )
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ fd }, resolve)
    })
  }

  /** Callers that were handed on are left. */
  close(): void {
    for (const server of this.#listeners) server.close()
    for (const socket of this.#open) socket.destroy()
  }

  #accept(socket: Socket, isProxied: boolean): void {
    const caller = callerOn(socket)
    // A reverse proxy stands for many; it has limits of its own, and they are told apart when they are known.
    const place = isProxied ? `${caller.peerAddress}:${socket.remotePort}` : caller.peerAddress
    socket.on('error', () => {}) // 'close' follows
    if (!this.#door.enter(place)) {
      socket.destroy()
      const refused = this.#door.refusedToReport(performance.now())
      if (refused > 0)
        this.#options.log.warn(
          { address: caller.peerAddress },
          `refused ${refused} HTTP connections: too many are unfinished, last from ${caller.peerAddress}`,
        )
      return
    }
    const timer = setTimeout(() => socket.destroy(), UPGRADE_MS)
    const done = (): void => {
      if (!this.#open.delete(socket)) return
      clearTimeout(timer)
      this.#door.leave(place, false)
    }
    this.#open.add(socket)
    socket.on('close', done)
    const begin = (stream: Duplex): void => {
      this.#visits.set(stream, { caller, isProxied, done })
      this.#http.emit('connection', stream)
    }
    if (isProxied) return begin(socket)
    const tls = new TLSSocket(socket, {
      isServer: true,
      ...(this.#context && { secureContext: this.#context }),
    })
    tls.on('error', () => socket.destroy())
    tls.once('secure', () => begin(tls))
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const visit = this.#visits.get(socket)
    const refusal = this.#refusalOf(request)
    if (!visit || refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const caller = visit.isProxied ? this.#proxied(visit.caller, request) : visit.caller
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      visit.done()
      this.#options.onCaller({ ...caller, stream: new WebSocketStream(ws, socket) })
    })
  }

  #refusalOf(request: http.IncomingMessage): string | undefined {
    if (pathOf(request) !== this.#options.path) return '404 Not Found'
    // Of a page in a browser, whose visitor has not asked for this.
    if (request.headers.origin !== undefined) return '403 Forbidden'
    return undefined
  }

  /** He whom the proxy names: the last one, as clients may have written others before. */
  #proxied(proxy: Caller, request: http.IncomingMessage): Caller {
    const said = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',').at(-1)?.trim() ?? ''
    if (isIP(said) !== 0) return { ...proxy, peerAddress: plainAddress(said), localAddress: '' }
    if (!this.#saidNameless)
      this.#options.log.warn(
        'the reverse proxy sends no X-Forwarded-For: all its clients share the limits of one address',
      )
    this.#saidNameless = true
    return proxy
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const isHere = pathOf(request) === this.#options.path
    const text = isHere ? 'a hub of Hybridge: hconnect -s wss://HOST\n' : 'not here\n'
    response.writeHead(isHere ? 426 : 404, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      ...(isHere && { upgrade: 'websocket' }),
      connection: 'close',
    })
    response.end(text)
  }
}

const pathOf = (request: http.IncomingMessage): string => (request.url ?? '').split('?')[0] ?? ''
