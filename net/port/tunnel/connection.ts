/**
 * The TCP connection under a tunnel, Linux tcp(7): read now and then, and told what `Pace` decides. Where there is no
 * descriptor or the system refuses, the connection stays as it is, which costs speed or latency and nothing else.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { allowFarSending } from '#net/port/far-buffers.ts'
import * as libc from '#net/port/libc.ts'
import { setCongestion, setUserTimeout } from '#net/port/tcp.ts'
import { descriptorOf, TcpInfo } from '#net/port/tcp-info.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'
import { Pace, type PathReading } from '#net/tunnel/pace.ts'
import { u32le } from '#net/wire/octets.ts'

/** Octets written and not acknowledged; not sent even once. */
const SIOCOUTQ = 0x5411
const SIOCOUTQNSD = 0x894b

/** Under way at the rate, beyond which the system's own buffers may be too small. */
const FAR_OCTETS = 1 << 20

const ABANDONED_MS = 30_000

const READ_EVERY_MS = 20
const READ_SELDOM_MS = 200

/** One for all tunnels of a connection, as it is one path; the first of them says whether latency is controlled. */
export function connectionUnder({ socket, stream }: Transport, isControlled: boolean): TunnelConnection {
  let connection = connections.get(socket)
  if (!connection) connections.set(socket, (connection = new TunnelConnection(socket, isControlled, stream)))
  return connection
}
const connections = new WeakMap<Socket, TunnelConnection>()

export class TunnelConnection implements PathReading, Transport {
  readonly socket: Socket
  readonly stream: Duplex
  readonly pace: Pace
  ackedOctets = 0
  flightOctets = 0
  isHeld = false
  isLate = false
  roundTripMs = 0
  leastRoundTripMs = 0
  readonly #info = new TcpInfo()
  readonly #value = new Uint8Array(4)
  /** What waited when the system was last asked, and what was written since. */
  #waiting = 0
  #readAt = -Infinity
  #congestion: string
  #isFar = false

  /**
   * @param isControlled  false: bulk throughput is all that counts
   * @param stream  what SSH is written to
   */
  constructor(socket: Socket, isControlled: boolean, stream: Duplex = socket) {
    this.socket = socket
    this.stream = stream
    this.pace = new Pace(isControlled)
    this.#congestion = this.pace.congestion
  }

  /** `octets` were written; `now` in milliseconds since 1970. */
  wrote(octets: number, now: number): void {
    this.#waiting += octets
    if (now - this.#readAt >= Math.max(READ_EVERY_MS, Math.min(this.leastRoundTripMs, READ_SELDOM_MS)))
      this.#read(now)
  }

  /**
   * Octets beyond `pace.limit` that wait in the kernel; negative while there is room. TCP_NOTSENT_LOWAT would not do: the
   * kernel goes on adding small writes to the last buffer of its queue, up to 64 KiB.
   */
  excess(): number {
    const { pace } = this
    if (this.#waiting < pace.limit) return this.#waiting - pace.limit
    const waiting = this.#ask(descriptorOf(this.socket), pace.isCrowded ? SIOCOUTQNSD : SIOCOUTQ)
    this.#waiting = waiting
    if (waiting >= pace.limit) this.isHeld = true
    return waiting - pace.limit
  }

  /** The far side may be gone for good: what it does not take soon ends the connection. */
  abandon(): void {
    const fd = descriptorOf(this.socket)
    if (fd >= 0) setUserTimeout(fd, ABANDONED_MS)
  }

  /** Those of an int; 0 when the system does not tell. */
  #ask(fd: number, what: number): number {
    return fd < 0 || libc.ioctl(fd, what, this.#value) < 0 ? 0 : u32le(this.#value, 0)
  }

  #read(now: number): void {
    this.#readAt = now
    const fd = descriptorOf(this.socket)
    if (fd < 0) return
    const info = this.#info
    if (!info.read(fd)) return
    this.ackedOctets = info.ackedOctets
    this.flightOctets = this.#ask(fd, SIOCOUTQ)
    this.roundTripMs = info.roundTripMs
    this.leastRoundTripMs = info.leastRoundTripMs
    const { pace } = this
    const wasCrowded = pace.isCrowded
    pace.read(this, now)
    this.isHeld = this.isLate = false
    if (pace.isCrowded !== wasCrowded) this.#waiting = Infinity // of the other kind: asked when it matters
    if (!this.#isFar && pace.rate * this.leastRoundTripMs > FAR_OCTETS) {
      this.#isFar = true
      allowFarSending(fd)
    }
    if (pace.congestion === this.#congestion) return
    this.#congestion = pace.congestion
    setCongestion(fd, pace.congestion)
  }
}
