/**
 * TCP connections to the addresses of one host, begun one after the other until one is made: RFC 8305 §4 and §5
 * ("Happy Eyeballs"). An address family that leads nowhere costs a quarter of a second, and no timeout.
 */
import { isIPv6, Socket } from 'node:net'

import { segmentSizeOf } from '#agent/way/segment-size.ts'
import { allowFarReceiving } from '#net/port/far-buffers.ts'
import { openTcpSocket, setCongestion, setSegmentSize } from '#net/port/tcp.ts'

/** RFC 8305 §5, Connection Attempt Delay. */
const ATTEMPT_DELAY_MS = 250

export interface Attempt {
  readonly address: string
  /** Why it failed; undefined while it is under way. */
  error: unknown
}

export interface AddressRaceOptions {
  readonly port: number
  /** Called before each attempt starts; what it throws fails that attempt. */
  readonly onAddress?: ((address: string, port: number) => void) | undefined
  /** The first connection, the caller's from now on; a later error of it throws nothing. */
  readonly onWon: (socket: Socket, roundTripMs: number) => void
  /** Every attempt has failed. */
  readonly onLost: () => void
}

export class AddressRace {
  /** In the order of their beginnings. */
  readonly attempts: Attempt[] = []
  readonly #options: AddressRaceOptions
  readonly #waiting: string[] = []
  readonly #underWay = new Set<Socket>()
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(options: AddressRaceOptions) {
    this.#options = options
  }

  /** @param addresses  numeric, the preferred first; at least one */
  start(addresses: readonly string[]): void {
    if (this.#over) return
    this.#waiting.push(...interleaved(addresses))
    this.#next()
  }

  /** Ends every attempt. */
  stop(): void {
    this.#over = true
    this.#waiting.length = 0
    clearTimeout(this.#timer)
    for (const socket of this.#underWay) socket.destroy()
    this.#underWay.clear()
  }

  #next(): void {
    clearTimeout(this.#timer)
    const address = this.#waiting.shift()
    if (address !== undefined) this.#attempt(address)
    else if (this.#underWay.size === 0) this.#options.onLost()
  }

  #attempt(address: string): void {
    const { port, onAddress } = this.#options
    const attempt: Attempt = { address, error: undefined }
    this.attempts.push(attempt)
    const failed = (error: unknown): void => {
      attempt.error = error
      this.#next()
    }
    try {
      onAddress?.(address, port)
    } catch (error) {
      return failed(error)
    }
    if (this.#over) return // the caller has ended it meanwhile
    const socket = unconnectedSocket(address)
    const began = performance.now()
    this.#underWay.add(socket)
    socket.once('connect', () => this.#won(socket, performance.now() - began))
    socket.on('error', (error) => {
      if (this.#underWay.delete(socket)) failed(error)
    })
    socket.connect({ host: address, port })
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#next(), ATTEMPT_DELAY_MS)
  }

  #won(socket: Socket, roundTripMs: number): void {
    this.#underWay.delete(socket)
    this.stop()
    this.#options.onWon(socket, roundTripMs)
  }
}

/** One that uses CUBIC, where the system has that. Where none can be made here, Node makes it, or says why it cannot. */
function unconnectedSocket(address: string): Socket {
  const fd = openTcpSocket(isIPv6(address) ? 6 : 4)
  const segmentSize = segmentSizeOf(address)
  if (fd >= 0) setCongestion(fd, 'cubic')
  if (fd >= 0) allowFarReceiving(fd)
  if (fd >= 0 && segmentSize !== undefined) setSegmentSize(fd, segmentSize)
  const socket = fd >= 0 ? new Socket({ fd }) : new Socket()
  return socket.setNoDelay()
}

/** Families by turns, beginning with that of the first address (RFC 8305 §4), each in its own order; none twice. */
export function interleaved(addresses: readonly string[]): string[] {
  const distinct = [...new Set(addresses)]
  const firstIsV6 = isIPv6(distinct[0] ?? '')
  const first = distinct.filter((address) => isIPv6(address) === firstIsV6)
  const second = distinct.filter((address) => isIPv6(address) !== firstIsV6)
  const turns = Math.max(first.length, second.length)
  return Array.from({ length: turns }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((address) => address !== undefined)
}
