/**
 * How many connections to the hub carry the tunnels: one, and further ones where that has more to carry than socket buffers
 * let it, or as many as are asked for.
 */
import type { HubConnection } from '#agent/link/dial.ts'
import { FurtherConnection, type FurtherOptions } from '#agent/link/further.ts'
import type { Remote } from '#agent/link/tunnels.ts'
import { bufferLimits } from '#net/port/far-buffers.ts'
import { descriptorOf, TcpInfo } from '#net/port/tcp-info.ts'
import { BufferBound } from '#net/tunnel/buffer-bound.ts'
import type { Hello } from '#net/tunnel/hello.ts'

/** Connections in all, where nobody says how many. */
const MANY = 4
/** A round trip and more. */
const LOOK_MS = 1000
/** Between two that are opened: the flows that move to one have come to rest there. */
const APART_MS = 1500

export interface ConnectionsOptions extends Omit<FurtherOptions, 'tokens' | 'onGiveUp'> {
  readonly wanted: number | 'auto'
  /** The first. */
  readonly hub: HubConnection
  /** The least one of the path, milliseconds; NaN while it is not known. */
  readonly roundTripMs: () => number
  /** One line for people. */
  readonly onNotice: (text: string) => void
  /** A fault of this program. */
  readonly onFault: (error: unknown) => void
}

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #tokens = new Map<Remote, string>()
  readonly #info = new TcpInfo()
  #further: readonly FurtherConnection[] = []
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** That work. */
  get count(): number {
    return 1 + this.#further.filter(({ isOpen }) => isOpen).length
  }

  /** The first connection has a tunnel to this bridge. */
  joined(remote: Remote, { token, sendOctets = Infinity, receiveOctets = Infinity }: Hello): void {
    if (token === undefined || this.#isOver) return // an older hub has one connection a tunnel
    this.#tokens.set(remote, token)
    if (this.#further.length > 0) for (const further of this.#further) further.rejoin()
    else if (this.#options.wanted !== 'auto') this.#open(this.#options.wanted)
    else this.#watch(new BufferBound(bufferLimits('begun'), { sendOctets, receiveOctets }))
  }

  left(remote: Remote): void {
    this.#tokens.delete(remote)
  }

  end(): void {
    this.#isOver = true
    clearInterval(this.#timer)
    for (const further of this.#further) further.end()
  }

  #watch(bound: BufferBound): void {
    if (this.#timer !== undefined) return
    const { hub, roundTripMs, onNotice } = this.#options
    const info = this.#info
    this.#timer = setInterval(() => {
      if (!info.read(descriptorOf(hub.socket))) return
      // Behind a proxy the path is longer than that of TCP.
      const tripMs = Math.max(info.leastRoundTripMs, roundTripMs() || 0)
      if (!bound.read(info.ackedOctets, info.receivedOctets, tripMs, performance.now())) return
      clearInterval(this.#timer)
      onNotice(
        `this path takes more than socket buffers hold: ${MANY - 1} further connections to the hub (hconnect doctor says more)`,
      )
      this.#open(MANY)
    }, LOOK_MS)
  }

  #open(count: number): void {
    const { onNotice, onFault } = this.#options
    const onGiveUp = (reason: string): void =>
      onNotice(`the hub does not take a further connection: ${reason}; going on without`)
    const tokens = (): ReadonlyMap<Remote, string> => this.#tokens
    this.#further = Array.from(
      { length: count - 1 },
      () => new FurtherConnection({ ...this.#options, tokens, onGiveUp }),
    )
    for (const [i, further] of this.#further.entries()) further.run(i * APART_MS).catch(onFault)
  }
}
