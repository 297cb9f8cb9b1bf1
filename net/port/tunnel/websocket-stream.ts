/**
 * A WebSocket (RFC 6455) as a stream of octets: binary messages one after the other, whose borders mean nothing. What
 * waits is bounded both ways: a write is done when the connection has taken it, and with enough unread nothing more is
 * read. Compression is for who makes the WebSocket to leave out.
 */
import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** Octets of the largest message that is taken. What SSH writes at once is a packet of some 32 KiB. */
export const MAX_MESSAGE = 1 << 20
/** What a message may come in: an object of some 700 octets is kept for each piece until it is whole. */
const MOST_PIECES = 2048
/** Octets that may wait before the writer is told to, and unread before the peer is not heard. */
const HIGH_WATER = 256 << 10

/** What the options of ws are to be at both ends. */
export const MESSAGE_OPTIONS = {
  maxPayload: MAX_MESSAGE,
  maxBufferedChunks: MOST_PIECES,
  maxFragments: MOST_PIECES,
  perMessageDeflate: false,
  skipUTF8Validation: true,
} as const

export class WebSocketStream extends Duplex {
  readonly #ws: WebSocket
  /** The connection under it. */
  readonly #below: Duplex

  /**
   * Owns both from now on.
   * @param ws  open
   * @param below  what it runs on, of which only how much leaves at once is ruled here
   */
  constructor(ws: WebSocket, below: Duplex) {
    super({ highWaterMark: HIGH_WATER, allowHalfOpen: false })
    this.#ws = ws
    this.#below = below
    ws.on('message', (data: unknown, isBinary: boolean) => {
      if (!isBinary || !Buffer.isBuffer(data)) this.destroy(new Error('the peer sent text'))
      else if (!this.destroyed && !this.push(data)) ws.pause()
    })
    ws.on('error', (error) => this.destroy(error))
    ws.on('close', () => {
      if (!this.destroyed) this.push(null) // behind what is unread; the rest follows from its end
    })
  }

  override _read(): void {
    if (this.#ws.isPaused) this.#ws.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (chunk.length === 0) return done()
    this.#ws.send(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const filled = chunks.filter(({ chunk }) => chunk.length > 0)
    const last = filled.pop()
    if (last === undefined) return done()
    this.#below.cork()
    for (const { chunk } of filled) this.#ws.send(chunk, ignore)
    this.#ws.send(last.chunk, done)
    this.#below.uncork()
  }

  override _final(done: () => void): void {
    this.#ws.close()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ws.terminate()
    done(error)
  }
}

/** The last write of a batch tells of a failure, too. */
const ignore = (): void => {}
