/**
 * An SSH channel as what a tunnel's records are written to: says when it takes more, so that what waits does so in the
 * tunnel's own queue and not in the socket. ssh2 itself would keep on writing up to its window of 2 MiB.
 */
import type { Duplex } from 'node:stream'
import type { TunnelConnection } from '#net/port/tunnel/connection.ts'
import type { Pace } from '#net/tunnel/pace.ts'
import { isRecord } from '#net/base/unknown.ts'

const NOTHING = Buffer.alloc(0)
/** How often a connection that renegotiates its keys is looked at. */
const REKEY_LOOK_MS = 10

export class ChannelStream {
  readonly pace: Pace
  readonly #channel: Duplex
  readonly #path: TunnelConnection
  readonly #onDrained: () => void
  readonly #onWritten = (): void => {
    if (!this.isFull) this.#onDrained()
  }
  #timer: NodeJS.Timeout | undefined

  /**
   * @param channel  of ssh2
   * @param path  the connection under it
   * @param onDrained  more may be written
   */
  constructor(channel: Duplex, path: TunnelConnection, onDrained: () => void) {
    this.#channel = channel
    this.#path = path
    this.#onDrained = onDrained
    this.pace = path.pace
    path.socket.on('drain', this.#onWritten)
  }

  /** Nothing is to be written before `onDrained` is called. */
  get isFull(): boolean {
    const { socket, pace } = this.#path
    if (this.#channel.writableLength > 0) return true
    if (pace.isFast) return socket.writableNeedDrain
    if (socket.writableLength > 0) return true
    const excess = this.#path.excess()
    if (excess >= 0) {
      this.#lookIn((excess + pace.piece / 2) / pace.rate)
      return true
    }
    // ssh2 keeps what is written while keys are exchanged, and tells nobody.
    if (!this.#isRekeying()) return false
    this.#lookIn(REKEY_LOOK_MS)
    return true
  }

  /** @returns true: the octets are copied or sent; false: the channel keeps them until it is drained */
  write(octets: Buffer): boolean {
    const { socket } = this.#path
    this.#path.writes(octets.length, performance.timeOrigin + performance.now())
    // ssh2 writes to the socket once per packet of 32 KiB: corked, they leave in one system call.
    socket.cork()
    this.#channel.write(octets, this.#onWritten)
    // Of the socket's own: ssh2 says that a packet is written when it is handed over.
    if (!this.pace.isFast && socket.writable) socket.write(NOTHING, this.#onWritten)
    socket.uncork()
    return this.#channel.writableLength === 0
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#path.socket.off('drain', this.#onWritten)
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

  #isRekeying(): boolean {
    const client: unknown = Reflect.get(this.#channel, '_client')
    const protocol: unknown = isRecord(client) ? client['_protocol'] : undefined
    return isRecord(protocol) && protocol['_queue'] !== undefined
  }
}
