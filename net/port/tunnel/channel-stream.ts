/**
 * An SSH channel as what a tunnel's records are written to: says when it takes more, so that what waits does so in the
 * tunnel's own queue and not in the socket. ssh2 itself would keep on writing up to its window of 2 MiB.
 */
import type { Duplex } from 'node:stream'
import type { TunnelConnection } from '#net/port/tunnel/connection.ts'
import { type Transport, unsentOctets } from '#net/port/tunnel/transport.ts'
import { Delivery } from '#net/tunnel/delivery.ts'
import type { Pace } from '#net/tunnel/pace.ts'
import { pingRecord } from '#net/tunnel/session.ts'
import { isRecord } from '#net/base/unknown.ts'

const NOTHING = Buffer.alloc(0)
/** How often a connection is looked at that does not tell when it takes more. */
const LOOK_MS = 10
/** Packets of up to 32 KiB that a fast path may have waiting for new keys: 2 MiB are 16 ms at 1 Gbit/s. */
const MOST_KEPT = 64
/**
 * What frames of a flow that comes from another connection wait for, beyond one and a half round trips: those before them
 * seldom wait longer in the queue of that.
 */
const HANDOVER_MS = 200
/** Octets that a far side has not read, beyond which it gets no answers to pings either: more than a piece of frames. */
const CONTROL_HIGH_WATER = 128 << 10

/** So much waits for the far side to read that control records are to wait where they are made. */
export const isDeaf = (channel: Duplex, transport: Transport): boolean =>
  channel.writableLength + unsentOctets(transport) > CONTROL_HIGH_WATER

export class ChannelStream {
  readonly pace: Pace
  readonly #channel: Duplex
  readonly #path: TunnelConnection
  readonly #onDrained: () => void
  readonly #delivery = new Delivery()
  readonly #onWritten = (): void => {
    if (!this.#closed && !this.isFull) this.#onDrained()
  }
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Milliseconds; Infinity before a first PONG; 0: not any more. */
  #handoverUntil: number

  /**
   * @param channel  of ssh2
   * @param path  the connection under it
   * @param onDrained  more may be written
   * @param takesOver  flows of another connection: what was sent there is to arrive first, so it waits a round trip and more
   */
  constructor(channel: Duplex, path: TunnelConnection, onDrained: () => void, takesOver = false) {
    this.#handoverUntil = takesOver ? Infinity : 0
    this.#channel = channel
    this.#path = path
    this.#onDrained = onDrained
    this.pace = path.pace
    for (const stream of new Set([path.stream, path.socket])) {
      stream.setMaxListeners(0) // every tunnel of the connection listens
      stream.on('drain', this.#onWritten)
    }
  }

  /** Frames of flows that come from another connection have to wait. */
  get isTakingOver(): boolean {
    if (this.#handoverUntil === 0) return false
    const left = this.#handoverUntil - performance.now()
    if (left > 0) return true
    this.#handoverUntil = 0
    return false
  }

  /** Nothing is to be written before `onDrained` is called. */
  get isFull(): boolean {
    const { stream, socket, pace } = this.#path
    if (this.isTakingOver) {
      if (this.#handoverUntil < Infinity) this.#lookIn(this.#handoverUntil - performance.now())
      return true
    }
    if (this.#channel.writableLength > 0) return true
    if (this.#keptPackets() >= (pace.isFast ? MOST_KEPT : 0)) {
      this.#lookIn(LOOK_MS)
      return true
    }
    const waits = unsentOctets(this.#path) > 0
    if (waits) this.#path.isHeld = true
    if (pace.isFast ? stream.writableNeedDrain || socket.writableNeedDrain : waits) {
      // What was written while the path was fast says nothing of its end.
      if (!pace.isFast) this.#lookIn(LOOK_MS)
      return true
    }
    if (pace.isFast) return false
    if (this.#delivery.isFull) return true // until it is answered
    const excess = this.#path.excess()
    if (excess < 0) return false
    this.#lookIn(Math.min(LOOK_MS, (excess + pace.piece / 2) / pace.rate))
    return true
  }

  /** A PING is to go behind the frame under way: the next `write` that ends with a whole record sends it. */
  get isPingDue(): boolean {
    return this.pace.isControlled && this.#delivery.isDue(performance.now())
  }

  /**
   * @param isWhole  they end with a record
   * @returns true: the octets are copied or sent; false: the channel keeps them until it is drained
   */
  write(octets: Buffer, isWhole = true): boolean {
    const { stream } = this.#path
    // ssh2 writes to the stream once per packet of 32 KiB: corked, they leave in one system call.
    stream.cork()
    this.#channel.write(octets, this.#onWritten)
    // Of the stream's own: ssh2 says that a packet is written when it is handed over.
    if (!this.pace.isFast && stream.writable) stream.write(NOTHING, this.#onWritten)
    stream.uncork()
    // Behind the write, which then need not wait for it.
    const now = performance.now()
    this.#path.wrote(octets.length, performance.timeOrigin + now)
    this.#delivery.wrote(octets.length)
    if (isWhole && this.pace.isControlled && this.#delivery.isDue(now)) {
      this.writeControl(pingRecord(now))
      this.#delivery.mark(now)
    }
    return this.#channel.writableLength === 0
  }

  /** Writes a control record behind what was written; no frame record may be half written. */
  writeControl(record: Uint8Array): void {
    if (this.#channel.writable) this.#channel.write(record, this.#onWritten)
  }

  /** A PONG came, for the PING of `time`. */
  answered(time: number, now: number): void {
    if (this.#handoverUntil === Infinity) {
      this.#handoverUntil = now + (now - time) / 2 + HANDOVER_MS
      this.#lookIn(this.#handoverUntil - now)
    }
    const wasFull = this.#delivery.isFull
    const { roundTripMs, leastRoundTripMs } = this.#path
    const pathOctets = this.pace.rate * leastRoundTripMs
    if (this.#delivery.answered(time, now, roundTripMs, pathOctets)) this.#path.isLate = true
    if (wasFull) this.#onWritten()
  }

  whenReleased(then: () => void): void {
    const channel = this.#channel
    const { socket } = this.#path
    if (channel.writableLength === 0 || socket.destroyed) return then()
    const once = (): void => {
      for (const stream of [channel, socket]) stream.off('finish', once).off('close', once)
      then()
    }
    for (const stream of [channel, socket]) stream.on('finish', once).on('close', once)
  }

  /** `onDrained` is not called any more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const stream of [this.#path.stream, this.#path.socket]) stream.off('drain', this.#onWritten)
  }

  /** The kernel tells nobody when it has sent what was unsent. */
  #lookIn(ms: number): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        this.#onWritten()
      },
      Math.max(1, ms),
    )
  }

  /** ssh2 keeps what is written while keys are exchanged, and tells nobody. Below 0: no keys are exchanged. */
  #keptPackets(): number {
    const client: unknown = Reflect.get(this.#channel, '_client')
    const protocol: unknown = isRecord(client) ? client['_protocol'] : undefined
    const queue: unknown = isRecord(protocol) ? protocol['_queue'] : undefined
    return Array.isArray(queue) ? queue.length : -1
  }
}
