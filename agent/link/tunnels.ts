/**
 * The tunnels of one connection to the hub, one to each bridge. A bridge that the hub refuses or takes away, while
 * others go on, is asked for again with back-off. When none is left, or the connection itself fails, all are over.
 */
import { setTimeout as pause } from 'node:timers/promises'

import { Backoff, STEADY_MS } from '#agent/link/backoff.ts'
import { listBridges } from '#agent/bridge-list.ts'
import { isBridgeName } from '#agent/lan/bridge-choice.ts'
import type { HubConnection } from '#agent/link/dial.ts'
import {
  EXIT_CARRIES_TUNNEL,
  EXIT_HOST_KEY,
  EXIT_OTHER,
  EXIT_PROTOCOL,
  EXIT_TAKEN_OVER,
  EXIT_UNKNOWN_BRIDGE,
  EXIT_UNREACHABLE,
  ExitError,
} from '#agent/exit-codes.ts'
import { Connections } from '#agent/link/connections.ts'
import { Tunnel } from '#agent/link/tunnel.ts'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import type { PortBundle } from '#net/port/tunnel/bundle.ts'
import type { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import type { Hello } from '#net/tunnel/hello.ts'

/** Since when, and why, something does not work that is tried again and again. */
export interface Outage {
  /** Milliseconds since 1970. */
  readonly since: number
  /** Attempts so far. */
  readonly attempt: number
  /** Why it ended, or the last attempt failed. */
  readonly reason: string
}

/** A bridge of the hub and the port that its frames pass; it outlives connections. */
export interface Remote {
  readonly bridge: string
  readonly port: PortBundle<TunnelPort>
  /** As the hub called it that was joined first: the same one is asked for again, whatever else has that name then. */
  fullName?: string
  /** The hub keeps us out of this bridge, while the connection works. */
  outage: Outage | undefined
}

export interface TunnelsOptions {
  readonly hub: HubConnection
  readonly remotes: readonly Remote[]
  readonly hello: Hello
  /** How many are to carry the tunnels. */
  readonly connections: number | 'auto'
  /** Dials a further one, without a question. @throws ExitError */
  readonly dial: (signal: AbortSignal) => Promise<HubConnection>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** A bridge went, or came back, while the connection works. */
  readonly onNotice: (text: string) => void
}

/** Codes of a BYE that mean one bridge and not the connection. */
const OF_ONE_BRIDGE = new Set([
  'unknown-bridge',
  'ambiguous-bridge',
  'not-allowed',
  'too-many-bridges',
  'too-many-tunnels',
  'unavailable',
  'internal',
])

export class Tunnels {
  /** Resolves with the reason when all are over. */
  readonly ended: Promise<ProtocolError>
  readonly #options: TunnelsOptions
  /** Those that are open, and those that wait for the hub's hello. */
  readonly #open = new Map<Remote, Tunnel>()
  readonly #opening = new Map<Remote, Tunnel>()
  /** Of bridges that the hub takes away again and again. */
  readonly #backoffs = new Map<Remote, Backoff>()
  readonly #over = new AbortController()
  readonly #connections: Connections
  #isFirstRound = true
  #roundTripMs: number | undefined
  #end: (reason: ProtocolError) => void = () => {}
  #fail: (error: unknown) => void = () => {}

  constructor(options: TunnelsOptions) {
    this.#options = options
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.ended.catch(() => {}) // whoever waits for it is told
    this.#connections = new Connections({
      ...options,
      wanted: options.connections,
      roundTripMs: () => this.#leastRoundTripMs,
      onFault: (error) => this.#fail(error),
    })
  }

  /** Of one of them, milliseconds, the last one when all are over; undefined until measured. */
  get roundTripMs(): number | undefined {
    for (const { roundTripMs } of this.#open.values()) if (!Number.isNaN(roundTripMs)) return roundTripMs
    return this.#roundTripMs
  }

  /** That carry them now. */
  get connections(): number {
    return this.#connections.count
  }

  /**
   * To be called once. @param all  each bridge must be joined; else one is enough, and the others are asked for again
   * @throws ExitError why not; then `end` is to be called
   */
  async open(all: boolean): Promise<Hello> {
    const { remotes } = this.#options
    const answers = await Promise.all(
      remotes.map(async (remote) => {
        try {
          return { remote, peer: await this.#join(remote) }
        } catch (error) {
          return { remote, error }
        }
      }),
    )
    this.#isFirstRound = false
    const refused = answers.filter((answer) => 'error' in answer)
    const fatal = refused.find(({ error }) => !(error instanceof ExitError) || isFinal(error))
    const decisive = fatal ?? (all ? refused[0] : undefined)
    if (decisive) throw decisive.error
    const joined = answers.find(({ remote }) => this.#open.has(remote))
    if (joined?.peer === undefined)
      throw refused[0]?.error ?? new ExitError(EXIT_UNREACHABLE, 'the hub took the tunnel back')
    for (const { remote, error } of refused) this.#leave(remote, reasonOf(error))
    return joined.peer
  }

  get #leastRoundTripMs(): number {
    const [any] = this.#open.values()
    return any?.leastRoundTripMs ?? Number.NaN
  }

  /** See `Tunnel.probe`: what one of them learns holds for the connection. */
  probe(withinMs: number): void {
    const [any] = this.#open.values()
    any?.probe(withinMs)
  }

  /** Tells the hub why, and ends them all. */
  end(reason: ProtocolError): void {
    if (this.#over.signal.aborted) return
    this.#roundTripMs = this.roundTripMs
    this.#over.abort()
    this.#connections.end()
    for (const tunnels of [this.#open, this.#opening])
      for (const tunnel of tunnels.values()) tunnel.bye(reason.code, reason.message)
    for (const remote of this.#options.remotes) remote.outage = undefined
    this.#end(reason)
  }

  /** @throws ExitError */
  async #join(remote: Remote): Promise<Hello> {
    const { hub, hello } = this.#options
    const { bridge, port } = remote
    const name = remote.fullName ?? bridge
    const channel = await hub.exec(`hybridge bridge ${name}`)
    const tunnel = new Tunnel({ channel, transport: hub, port: port.first, hello })
    this.#opening.set(remote, tunnel)
    if (this.#over.signal.aborted) tunnel.bye('leave', 'the agent left')
    const peer = await Promise.race([tunnel.opened, tunnel.ended])
    this.#opening.delete(remote)
    if (peer instanceof Error) throw await refusal(peer, name, hub)
    if (peer.bridge !== undefined && isBridgeName(peer.bridge)) remote.fullName = peer.bridge
    this.#open.set(remote, tunnel)
    this.#connections.joined(remote, peer)
    const joinedAt = performance.now()
    tunnel.ended
      .then((reason) => {
        if (performance.now() - joinedAt >= STEADY_MS) this.#backoffs.delete(remote)
        this.#lost(remote, reason)
      })
      .catch(this.#fail)
    return peer
  }

  #lost(remote: Remote, reason: ProtocolError): void {
    this.#roundTripMs = this.roundTripMs
    this.#open.delete(remote)
    this.#connections.left(remote)
    if (this.#over.signal.aborted) return
    const othersGoOn = this.#open.size > 0 || this.#isFirstRound
    if (othersGoOn && OF_ONE_BRIDGE.has(reason.code)) this.#leave(remote, reason.message)
    else this.end(reason)
  }

  #leave(remote: Remote, reason: string): void {
    remote.outage = { since: Date.now(), attempt: 0, reason }
    this.#options.onNotice(`bridge ${remote.bridge} is away: ${reason}; asking for it again`)
    this.#rejoin(remote, remote.outage).catch(this.#fail)
  }

  async #rejoin(remote: Remote, outage: Outage): Promise<void> {
    const { random, onNotice } = this.#options
    const { signal } = this.#over
    const backoff = this.#backoffs.get(remote) ?? new Backoff(random, performance.now())
    this.#backoffs.set(remote, backoff)
    for (let attempt = 1; ; attempt++) {
      await pause(backoff.next(performance.now()), undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#join(remote)
        if (signal.aborted) return
        remote.outage = undefined
        return onNotice(`bridge ${remote.bridge} is back`)
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof ExitError)) throw error
        if (isFinal(error)) return this.end(new ProtocolError('closed', error.message))
        remote.outage = { ...outage, attempt, reason: error.message }
      }
    }
  }
}

/** No reconnect mends it. */
export const isFinal = (error: ExitError): boolean =>
  error.exitCode === EXIT_HOST_KEY ||
  error.exitCode === EXIT_CARRIES_TUNNEL ||
  error.exitCode === EXIT_TAKEN_OVER

const EXIT_OF_CODE: Record<string, number> = {
  'unknown-bridge': EXIT_UNKNOWN_BRIDGE,
  'ambiguous-bridge': EXIT_UNKNOWN_BRIDGE,
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
  if (reason.code !== 'unknown-bridge')
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
