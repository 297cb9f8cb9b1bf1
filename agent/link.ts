/** The agent's connection to the hub: dialled, lost, dialled again, until it is ended. */

import { Backoff } from '#agent/backoff.ts'
import { listBridges } from '#agent/bridge-list.ts'
import type { HubConnection } from '#agent/dial.ts'
import {
  EXIT_CARRIES_TUNNEL,
  EXIT_HOST_KEY,
  EXIT_OTHER,
  EXIT_PROTOCOL,
  EXIT_REFUSED,
  EXIT_TAKEN_OVER,
  EXIT_UNKNOWN_BRIDGE,
  EXIT_UNREACHABLE,
  ExitError,
} from '#agent/exit-codes.ts'
import { Tunnel } from '#agent/tunnel.ts'
import type { ProtocolError } from '#net/base/errors.ts'
import { reasonOf } from '#net/base/errors.ts'
import { MAX_WIRE_FRAME } from '#net/port/port.ts'
import type { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { KEEPALIVE_MS, TUNNEL_VERSION, type Hello } from '#net/tunnel/hello.ts'

/** Logins refused in a row, after a link that worked, that are taken for an answer: a hub that restarts may refuse one. */
const MAX_REFUSALS = 8
/** Connecting says little about the round trip when a name had to be looked up first. */
const MAX_FIRST_ROUND_TRIP_MS = 1000

export type LinkState = 'connecting' | 'connected' | 'disconnected'

export interface LinkOptions {
  /** Who this is, for people at the hub. */
  readonly name: string
  readonly bridge: string
  readonly port: TunnelPort
  /** The key of this agent's port at the hub; `changePortKey` gives another. */
  readonly portKey: string
  readonly superFrames: boolean
  readonly latencyControl: boolean
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
  #tunnel: Tunnel | undefined
  #lastRoundTripMs: number | undefined
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
    const now = this.#tunnel?.roundTripMs ?? Number.NaN
    return Number.isNaN(now) ? undefined : now
  }

  /**
   * Runs until `stop`, after which it resolves.
   * @throws ExitError when the first connection fails, or something that no reconnect mends happens later
   */
  async run(): Promise<void> {
    try {
      let tunnel = await this.#connect()
      for (;;) {
        const reason = await tunnel.ended
        if (this.#stop.signal.aborted) return
        this.#lost(reason)
        tunnel = await this.#reconnect()
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
    this.#hurry = true
    this.#tunnel?.bye('leave', 'the agent reconnects')
    this.#backoff.worked(performance.now())
    this.#wake()
  }

  /** Tells the hub that we leave. `run` then resolves. */
  stop(): void {
    this.#stop.abort()
    this.#wake()
    if (this.#tunnel) this.#tunnel.bye('leave', 'the agent was ended')
    else this.#hub?.destroy()
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
    this.#tunnel = undefined
    this.#hub?.end()
    this.#hub = undefined
    this.#become('disconnected', reason.message)
    this.#backoff.worked(performance.now())
    this.#options.events.onLost(reason.message)
  }

  async #reconnect(): Promise<Tunnel> {
    let refusals = 0
    let said = ''
    for (;;) {
      if (!this.#hurry) await this.#pause(this.#backoff.next(performance.now()))
      this.#hurry = false
      this.#stop.signal.throwIfAborted()
      try {
        return await this.#connect()
      } catch (error) {
        if (!(error instanceof ExitError) || isFinal(error)) throw error
        refusals = error.exitCode === EXIT_REFUSED ? refusals + 1 : 0
        if (refusals >= MAX_REFUSALS) throw error
        this.reason = error.message
        if (error.message !== said) this.#options.events.onRetry(error.message)
        said = error.message
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

  async #connect(): Promise<Tunnel> {
    const { bridge, port, dial, events } = this.#options
    const first = this.#lastRoundTripMs === undefined
    this.attempt++
    const hub = await dial(this.#lastRoundTripMs, this.#stop.signal)
    this.#hub = hub
    try {
      const channel = await hub.exec(`hybridge bridge ${bridge}`)
      this.#stop.signal.throwIfAborted()
      const tunnel = new Tunnel({ channel, transport: hub, port, hello: this.#hello })
      this.#tunnel = tunnel
      const peer = await Promise.race([tunnel.opened, tunnel.ended])
      if (peer instanceof Error) throw await refusal(peer, bridge, hub)
      if (first) this.#lastRoundTripMs = Math.min(hub.roundTripMs, MAX_FIRST_ROUND_TRIP_MS)
      this.#become('connected', '')
      this.address = hub.address
      if (!first) this.reconnects++
      events.onConnected(hub.address, peer, this.reconnects)
      return tunnel
    } catch (error) {
      this.#tunnel = undefined
      this.#hub = undefined
      hub.end()
      throw error
    }
  }
}

const isFinal = (error: ExitError): boolean =>
  error.exitCode === EXIT_HOST_KEY ||
  error.exitCode === EXIT_CARRIES_TUNNEL ||
  error.exitCode === EXIT_TAKEN_OVER

const EXIT_OF_CODE: Record<string, number> = {
  'unknown-bridge': EXIT_UNKNOWN_BRIDGE,
  'not-allowed': EXIT_UNKNOWN_BRIDGE,
  'taken-over': EXIT_TAKEN_OVER,
  'carries-tunnel': EXIT_CARRIES_TUNNEL,
  version: EXIT_PROTOCOL,
  hello: EXIT_PROTOCOL,
  'frame-length': EXIT_PROTOCOL,
  closed: EXIT_UNREACHABLE,
  lost: EXIT_UNREACHABLE,
}

/** Why the hub did not open the tunnel; for an unknown bridge with the ones that there are. */
async function refusal(reason: ProtocolError, bridge: string, hub: HubConnection): Promise<ExitError> {
  const exitCode = EXIT_OF_CODE[reason.code] ?? EXIT_OTHER
  if (exitCode !== EXIT_UNKNOWN_BRIDGE)
    return new ExitError(exitCode, `the hub refuses the tunnel: ${reason.message}`)
  let known: string
  try {
    const bridges = await listBridges(hub)
    const names = bridges.map((one) => one.name).join(', ')
    known = names === '' ? 'there is none that you may join' : `you may join: ${names}`
  } catch (error) {
    known = `the hub's list is not to be had: ${reasonOf(error)}`
  }
  return new ExitError(exitCode, `the hub has no bridge ${bridge} for you; ${known}`)
}
