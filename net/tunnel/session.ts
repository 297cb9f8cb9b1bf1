/**
 * One end of a layer-2 tunnel, without sockets or clocks: hello, keepalive, bye, and the frames between.
 *
 *    start -> (hello sent, awaiting the peer's) -> open -> ended
 *
 * The shell gives octets to `receive`, writes what `pollTransmit` returns before any frame that it sends afterwards,
 * and calls `handleTimeout` at `nextDeadline()`. After `onEnd` the session is over; the shell writes what is left of
 * `pollTransmit` and closes the stream.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { byeRecord, decodeBye } from '#net/tunnel/bye.ts'
import { decodeHello, encodeHello, type Hello } from '#net/tunnel/hello.ts'
import { LeastTime } from '#net/tunnel/least-time.ts'
import {
  controlRecord,
  RECORD_BYE,
  RECORD_HELLO,
  RECORD_PING,
  RECORD_PONG,
  RecordScanner,
} from '#net/tunnel/framing.ts'

/** The peer is lost when nothing came for this many of its keepalive intervals. */
export const MISSED_KEEPALIVES = 3
/** Control records that wait for a shell that cannot write: no ping is added to as many. */
const MAX_WAITING = 8
/** Time for the peer's hello. */
const HELLO_TIMEOUT_MS = 5000

export interface SessionHandler {
  /** The peer's hello is here and fits: frames may flow. */
  onHello(peer: Hello): void
  /** Octets of FRAME records, see RecordHandler.onFrames. Only after onHello. */
  onFrames(chunk: Uint8Array, start: number, end: number): void
  /** The peer has read all before the PING that carried `time`. */
  onPong(time: number): void
  /** The session is over, by the peer's bye (its code and text), a fault, or a lost peer. Called once. */
  onEnd(reason: ProtocolError): void
}

/** A PING that carries the time when it is sent. */
export function pingRecord(now: number): Uint8Array {
  const stamp = new DataView(new ArrayBuffer(8))
  stamp.setFloat64(0, now)
  return controlRecord(RECORD_PING, new Uint8Array(stamp.buffer))
}

export class TunnelSession {
  readonly #own: Hello
  readonly #handler: SessionHandler
  readonly #scanner: RecordScanner
  readonly #out: Uint8Array[] = []
  /** The answer to the last PING alone: a flood of them makes no queue. */
  #pong: Uint8Array | undefined
  #peer: Hello | undefined
  #greeted = false
  #ended = false
  #now: number
  readonly #startedAt: number
  #heardAt: number
  #pingSentAt: number
  #roundTripMs = Number.NaN
  /** When `probe` was called, Infinity once it is answered, and the silence that it lets be. */
  #probedAt = Infinity
  #probeMs = 0
  #leastRoundTripMs = Number.NaN
  readonly #least = new LeastTime()

  /** Says nothing before `greet`, except a bye. */
  constructor(own: Hello, handler: SessionHandler, now: number) {
    this.#own = own
    this.#handler = handler
    this.#scanner = new RecordScanner({
      onFrames: (chunk, start, end) => this.#frames(chunk, start, end),
      onControl: (type, payload) => this.#control(type, payload),
    })
    this.#now = now
    this.#startedAt = now
    this.#heardAt = now
    this.#pingSentAt = now
  }

  /** Sends this side's hello, with what is known only now; from when on the peer may send frames. */
  greet(more: Partial<Hello> = {}): void {
    this.#greeted = true
    this.#pingSentAt = this.#now - this.#own.keepaliveMs // the first ping goes out at once: a round trip early
    this.#send(RECORD_HELLO, encodeHello({ ...this.#own, ...more }))
  }

  /** The peer's hello; undefined before it came. */
  get peer(): Hello | undefined {
    return this.#peer
  }

  get ended(): boolean {
    return this.#ended
  }

  /** A FRAME record of the peer's is handed on in part only. */
  get isInFrame(): boolean {
    return this.#scanner.leftInFrame > 0
  }

  /** Round trip of the last answered PING in milliseconds; NaN before the first. */
  get roundTripMs(): number {
    return this.#roundTripMs
  }

  /** The least of the last minutes; NaN before the first. */
  get leastRoundTripMs(): number {
    return this.#leastRoundTripMs
  }

  /** Takes octets from the stream. Faults of the peer end the session through `onEnd`; nothing is thrown. */
  receive(chunk: Uint8Array, start: number, end: number, now: number): void {
    if (this.#ended) return
    this.#now = now
    this.#heardAt = now
    try {
      this.#scanner.scan(chunk, start, end)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#fail(error)
    }
  }

  /** Control records to write now, in order; undefined when there are none. */
  pollTransmit(): Uint8Array | undefined {
    const next = this.#out.shift()
    if (next) return next
    const pong = this.#pong
    this.#pong = undefined
    return pong
  }

  /** Ends the session and tells the peer why. `onEnd` is called. */
  bye(code: string, message: string): void {
    this.#fail(new ProtocolError(code, message))
  }

  /**
   * There is reason to doubt the connection: asks for an answer at once. Until it is here, a silence of `withinMs` ends
   * the session. (What had come before, and is only read now, is no answer.)
   */
  probe(now: number, withinMs: number): void {
    if (this.#ended || !this.#peer) return
    this.#now = now
    this.#probedAt = now
    this.#probeMs = withinMs
    this.#ping(now)
  }

  /** When `handleTimeout` has something to do, in the time of `now`; Infinity when ended. */
  nextDeadline(): number {
    if (this.#ended) return Infinity
    if (!this.#peer) return this.#startedAt + HELLO_TIMEOUT_MS
    const lostAt = this.#lostAt(this.#peer)
    return this.#greeted ? Math.min(this.#pingSentAt + this.#own.keepaliveMs, lostAt) : lostAt
  }

  handleTimeout(now: number): void {
    if (this.#ended) return
    this.#now = now
    if (!this.#peer) {
      if (now >= this.#startedAt + HELLO_TIMEOUT_MS)
        this.#fail(new ProtocolError('hello', `no hello from the peer within ${HELLO_TIMEOUT_MS / 1000} s`))
      return
    }
    const silent = now - this.#heardAt
    if (now >= this.#lostAt(this.#peer)) {
      this.#fail(new ProtocolError('lost', `nothing heard from the peer for ${(silent / 1000).toFixed(1)} s`))
      return
    }
    if (this.#greeted && now >= this.#pingSentAt + this.#own.keepaliveMs) this.#ping(now)
  }

  #ping(now: number): void {
    this.#pingSentAt = now
    if (this.#out.length < MAX_WAITING) this.#out.push(pingRecord(now))
  }

  #lostAt(peer: Hello): number {
    const usual = this.#heardAt + peer.keepaliveMs * MISSED_KEEPALIVES
    if (this.#probedAt === Infinity) return usual
    return Math.min(usual, Math.max(this.#heardAt, this.#probedAt) + this.#probeMs)
  }

  #send(type: number, payload: Uint8Array): void {
    this.#out.push(controlRecord(type, payload))
  }

  #frames(chunk: Uint8Array, start: number, end: number): void {
    if (this.#ended) return
    if (!this.#peer) throw new ProtocolError('hello', 'the peer sent frames before its hello')
    this.#handler.onFrames(chunk, start, end)
  }

  #control(type: number, payload: Uint8Array): void {
    if (this.#ended) return
    if (type === RECORD_HELLO) {
      if (this.#peer) throw new ProtocolError('hello', 'the peer sent a second hello')
      this.#peer = decodeHello(payload)
      this.#handler.onHello(this.#peer)
    } else if (type === RECORD_BYE) {
      const reason = decodeBye(payload)
      this.#end(reason)
    } else if (!this.#peer) throw new ProtocolError('hello', 'the peer does not speak the Hybridge tunnel')
    else if (type === RECORD_PING) this.#pong = controlRecord(RECORD_PONG, payload.slice(0, 8))
    else if (type === RECORD_PONG && payload.length === 8) {
      const sent = new DataView(payload.buffer, payload.byteOffset, 8).getFloat64(0)
      const took = this.#now - sent
      if (!(took >= 0 && took < 600_000)) return
      this.#roundTripMs = took
      if (sent >= this.#probedAt) this.#probedAt = Infinity
      this.#leastRoundTripMs = this.#least.add(took, this.#now)
      this.#handler.onPong(sent)
    }
  }

  #fail(error: ProtocolError): void {
    if (this.#ended) return
    this.#pong = undefined
    this.#out.push(byeRecord(error.code, error.message))
    this.#end(error)
  }

  #end(reason: ProtocolError): void {
    if (this.#ended) return
    this.#ended = true
    this.#handler.onEnd(reason)
  }
}
