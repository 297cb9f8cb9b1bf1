/** The agent's connection to the hub: dialled, lost, dialled again, until it is ended. */

import { Backoff, STEADY_MS } from '#agent/link/backoff.ts'
import type { HubConnection } from '#agent/link/dial.ts'
import { EXIT_REFUSED, EXIT_TAKEN_OVER, EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { isFinal, type Remote, Tunnels } from '#agent/link/tunnels.ts'
import { ProtocolError } from '#net/base/errors.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { MAX_WIRE_FRAME } from '#net/port/port.ts'
import { isOwnAddress } from '#net/port/socket-address.ts'
import { KEEPALIVE_MS, TUNNEL_VERSION, type Hello } from '#net/tunnel/hello.ts'
import { MISSED_KEEPALIVES } from '#net/tunnel/session.ts'

/** Logins refused in a row, after a link that worked, that are taken for an answer: a hub that restarts may refuse one. */
const MAX_REFUSALS = 8
/** Of an outage, that are remembered as told. */
const MAX_REASONS = 100
/** Connecting says little about the round trip when a name had to be looked up first. */
const MAX_FIRST_ROUND_TRIP_MS = 1000
/** A connection in doubt may be silent for this and two round trips; the hub's own pings come oftener. */
const DOUBTED_MS = 1.25 * KEEPALIVE_MS
/** The hub has given up one that was silent for so long. */
const GIVEN_UP_MS = MISSED_KEEPALIVES * KEEPALIVE_MS

export type LinkState = 'connecting' | 'connected' | 'disconnected'

export interface LinkOptions {
  /** Who this is, for people at the hub. */
  readonly name: string
  readonly remotes: readonly Remote[]
  /** The key of this agent's port at each bridge; `changePortKey` gives another. */
  readonly portKey: string
  readonly superFrames: boolean
  readonly latencyControl: boolean
  /** How many are to carry the tunnels. */
  readonly connections: number | 'auto'
  /** A hub that cannot be reached the first time is dialled again, as later on. */
  readonly isPatient: boolean
  /** Connects to the hub. `lastRoundTripMs` is undefined the first time, when questions may be asked. */
  readonly dial: (lastRoundTripMs: number | undefined, signal: AbortSignal) => Promise<HubConnection>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly events: LinkEvents
}

export interface LinkEvents {
  onConnected(address: string, peer: Hello, reconnects: number): void
  onLost(reason: string): void
  /** A reconnect failed, for another reason than the one before. */
  onRetry(reason: string): void
  /** A bridge went, or came back, while the connection works. */
  onNotice(text: string): void
}

export class Link {
  /** Milliseconds since 1970 when the state began. */
  since = Date.now()
  /** Of the outage that lasts: attempts to connect so far; 0 while it works. */
  attempt = 0
  /** Why the connection was lost, or the last attempt failed; '' while it works. */
  reason = ''
  /** Numeric address of the hub, '' before the first connection. */
  address = ''
  reconnects = 0
  readonly #options: LinkOptions
  #hello: Hello
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  #hub: HubConnection | undefined
  #tunnels: Tunnels | undefined
  #lastRoundTripMs: number | undefined
  /** Monotonic milliseconds. */
  #connectedAt = 0
  /** The next attempt does not wait. */
  #hurry = false
  #wake: () => void = () => {}
  #state: LinkState = 'connecting'

  constructor(options: LinkOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.random, performance.now())
    this.#hello = {
      version: TUNNEL_VERSION,
      name: options.name,
      largestFrame: MAX_WIRE_FRAME,
      superFrames: options.superFrames,
      latencyControl: options.latencyControl,
      keepaliveMs: KEEPALIVE_MS,
      key: options.portKey,
    }
  }

  get state(): LinkState {
    return this.#state
  }

  get roundTripMs(): number | undefined {
    return this.#tunnels?.roundTripMs
  }

  /** That carry the tunnels now; 0 while there are none. */
  get connections(): number {
    return this.#state === 'connected' ? (this.#tunnels?.connections ?? 0) : 0
  }

  /** The connection, while it works. */
  get hub(): HubConnection | undefined {
    return this.#state === 'connected' ? this.#hub : undefined
  }

  /**
   * Runs until `stop`, after which it resolves.
   * @throws ExitError when the first connection fails, or something that no reconnect mends happens later
   */
  async run(): Promise<void> {
    try {
      let tunnels = await this.#connectFirst()
      for (;;) {
        const reason = await tunnels.ended
        if (this.#stop.signal.aborted) return
        this.#lost(reason)
        tunnels = await this.#reconnect()
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    } finally {
      this.#hub?.end()
      await this.#hub?.closed
    }
  }

  /** The interface is another one now: comes back under its key, so that a second agent on it takes the right port over. */
  changePortKey(key: string): void {
    if (key === this.#hello.key) return
    this.#hello = { ...this.#hello, key }
    this.reconnectNow()
  }

  /** Drops the connection, if there is one, and dials at once. */
  reconnectNow(): void {
    this.#backoff.worked(performance.now())
    this.#dialNow('the agent reconnects')
  }

  /** This machine's interfaces, addresses or routes have changed: looks whether the connection holds, or dials at once. */
  networkChanged(): void {
    const own = plainAddress(this.#hub?.socket.localAddress ?? '')
    if (this.#state !== 'connected') this.#dialNow('the network changed')
    else if (own !== '' && !isOwnAddress(own)) this.#dialNow(`this machine has no address ${own} any more`)
    else this.#probe()
  }

  /** Nothing has run here for so long: the machine slept, or this process stood still. */
  woke(sleptMs: number): void {
    if (this.#state === 'connected' && sleptMs < GIVEN_UP_MS) this.#probe()
    else this.#dialNow(`everything stood still here for ${(sleptMs / 1000).toFixed(0)} s`)
  }

  /** Tells the hub that we leave. `run` then resolves. */
  stop(): void {
    this.#stop.abort()
    this.#wake()
    this.#tunnels?.end(new ProtocolError('leave', 'the agent was ended'))
    this.#hub?.end() // also what waits for an answer of the hub
  }

  #dialNow(why: string): void {
    if (this.#state === 'connecting' && !this.#options.isPatient) return
    this.#hurry = true
    this.#backoff.hurry()
    if (this.#state === 'connected') this.#tunnels?.end(new ProtocolError('leave', why))
    this.#wake()
  }

  #probe(): void {
    this.#tunnels?.probe(DOUBTED_MS + 2 * (this.roundTripMs ?? 0))
  }

  #become(state: LinkState, reason: string): void {
    this.#state = state
    this.since = Date.now()
    this.attempt = 0
    this.reason = reason
  }

  #lost(reason: ProtocolError): void {
    if (reason.code === 'taken-over') {
      throw new ExitError(EXIT_TAKEN_OVER, `another hconnect has taken this port over: ${reason.message}`)
    }
    const roundTripMs = this.roundTripMs
    if (roundTripMs !== undefined) this.#lastRoundTripMs = roundTripMs
    this.#tunnels = undefined
    this.#hub?.end()
    this.#hub = undefined
    this.#become('disconnected', reason.message)
    const now = performance.now()
    if (now - this.#connectedAt < STEADY_MS) this.#backoff.flickered(now)
    else this.#backoff.worked(now)
    this.#options.events.onLost(reason.message)
  }

  async #connectFirst(): Promise<Tunnels> {
    try {
      return await this.#connect()
    } catch (error) {
      const isAway = error instanceof ExitError && error.exitCode === EXIT_UNREACHABLE
      if (!this.#options.isPatient || !isAway || this.#stop.signal.aborted) throw error
      this.reason = error.message
      this.#options.events.onRetry(error.message)
      return await this.#reconnect(error.message)
    }
  }

  /** @param told  a reason that was told already; each one is told once */
  async #reconnect(told = ''): Promise<Tunnels> {
    const said = new Set([told])
    let refusals = 0
    let startedAt = performance.now()
    for (;;) {
      // From start to start: an attempt that waited for an answer in vain was a pause as well.
      const now = performance.now()
      if (!this.#hurry) await this.#pause(this.#backoff.next(now) - (now - startedAt))
      this.#hurry = false
      this.#stop.signal.throwIfAborted()
      startedAt = performance.now()
      try {
        return await this.#connect()
      } catch (error) {
        this.#stop.signal.throwIfAborted()
        if (!(error instanceof ExitError) || isFinal(error)) throw error
        refusals = error.exitCode === EXIT_REFUSED ? refusals + 1 : 0
        if (refusals >= MAX_REFUSALS) throw error
        this.reason = error.message
        if (said.has(error.message)) continue
        if (said.size < MAX_REASONS) said.add(error.message)
        this.#options.events.onRetry(error.message)
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #connect(): Promise<Tunnels> {
    const { remotes, random, dial, events, connections } = this.#options
    const first = this.#lastRoundTripMs === undefined
    this.attempt++
    const hub = await dial(this.#lastRoundTripMs, this.#stop.signal)
    this.#hub = hub
    const onNotice = (text: string): void => events.onNotice(text)
    const tunnels = new Tunnels({
      hub,
      remotes,
      hello: this.#hello,
      connections,
      dial: (signal) => dial(this.#lastRoundTripMs ?? hub.roundTripMs, signal),
      random,
      onNotice,
    })
    this.#tunnels = tunnels
    try {
      const peer = await tunnels.open(first)
      this.#stop.signal.throwIfAborted()
      if (first) this.#lastRoundTripMs = Math.min(hub.roundTripMs, MAX_FIRST_ROUND_TRIP_MS)
      this.#become('connected', '')
      this.#connectedAt = performance.now()
      this.#hurry = false
      this.address = hub.address
      if (!first) this.reconnects++
      events.onConnected(hub.address, peer, this.reconnects)
      return tunnels
    } catch (error) {
      tunnels.end(new ProtocolError('leave', 'the agent left'))
      this.#tunnels = undefined
      this.#hub = undefined
      hub.end()
      throw error
    }
  }
}
