/**
 * A further connection to the hub: a stream more to the port of each tunnel that the first connection has. It is dialled
 * again with back-off when it is lost. Nothing depends on it: without it, the flows that it had go through the others.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import { Backoff, STEADY_MS } from '#agent/link/backoff.ts'
import type { HubConnection } from '#agent/link/dial.ts'
import { EXIT_HOST_KEY, EXIT_REFUSED, ExitError } from '#agent/exit-codes.ts'
import { Tunnel, type TunnelOptions } from '#agent/link/tunnel.ts'
import type { Remote } from '#agent/link/tunnels.ts'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import type { Hello } from '#net/tunnel/hello.ts'

/** What is needed of a connection to the hub. */
type Dialled = Transport &
  Pick<HubConnection, 'end'> & { exec: (command: string) => Promise<TunnelOptions['channel']> }

export interface FurtherOptions {
  /** Never asks anybody. @throws ExitError */
  readonly dial: (signal: AbortSignal) => Promise<Dialled>
  /** Of the tunnels that the first connection has now: what the hub gave to join them with. */
  readonly tokens: () => ReadonlyMap<Remote, string>
  readonly hello: Hello
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** It is not dialled any more: the hub does not want it. */
  readonly onGiveUp: (reason: string) => void
}

export class FurtherConnection {
  /** All of its streams are in use. */
  isOpen = false
  readonly #options: FurtherOptions
  readonly #over = new AbortController()
  readonly #tunnels = new Set<Tunnel>()

  constructor(options: FurtherOptions) {
    this.#options = options
  }

  /** Runs until `end`, or until the hub does not want it. @param afterMs  it begins */
  async run(afterMs: number): Promise<void> {
    const { random, onGiveUp } = this.#options
    const { signal } = this.#over
    const backoff = new Backoff(random, performance.now())
    await pause(afterMs, undefined, { signal }).catch(() => {})
    while (!signal.aborted) {
      const began = performance.now()
      try {
        await this.#connection()
      } catch (error) {
        if (signal.aborted) return
        if (isRefusal(error)) return onGiveUp(reasonOf(error))
        if (!(error instanceof ExitError || error instanceof ProtocolError)) throw error
      }
      const now = performance.now()
      if (now - began >= STEADY_MS) backoff.worked(now)
      await pause(backoff.next(now), undefined, { signal }).catch(() => {})
    }
  }

  /** The tunnels that it is part of are others now: joins those. */
  rejoin(): void {
    this.#leave('the tunnel is another one')
  }

  end(): void {
    this.#over.abort()
    this.#leave('the agent left')
  }

  #leave(why: string): void {
    for (const tunnel of this.#tunnels) tunnel.bye('leave', why)
  }

  /** Resolves when it is over. @throws ExitError, ProtocolError when it did not come about */
  async #connection(): Promise<void> {
    const { dial, tokens } = this.#options
    const { signal } = this.#over
    const hub = await dial(signal)
    try {
      signal.throwIfAborted()
      const joined = [...tokens()].map(([remote, token]) => this.#join(hub, remote, token))
      const ends = await Promise.all(joined)
      // One has come, or gone, meanwhile.
      if (ends.length !== tokens().size || ends.length === 0) return
      this.isOpen = true
      await Promise.race(ends.map(({ ended }) => ended))
    } finally {
      this.isOpen = false
      this.#leave('a part of the connection is over')
      hub.end()
    }
  }

  async #join(hub: Dialled, remote: Remote, token: string): Promise<{ ended: Promise<unknown> }> {
    const { port: bundle } = remote
    const channel = await hub.exec(`hybridge bridge ${remote.fullName ?? remote.bridge}`)
    const { name, counters, sink } = bundle
    const port = new TunnelPort({ name, counters, sink, seed: randomInt(2 ** 32) })
    const tunnel = new Tunnel({ channel, transport: hub, port, hello: { ...this.#options.hello, token } })
    this.#tunnels.add(tunnel)
    const ended = tunnel.ended.then((reason) => {
      this.#tunnels.delete(tunnel)
      bundle.remove(port)
      port.close()
      return reason
    })
    const outcome = await Promise.race([tunnel.opened, ended])
    if (outcome instanceof ProtocolError) throw outcome
    // Its end may have come with its beginning: nobody would take it out of the bundle again.
    if (!this.#tunnels.has(tunnel)) throw await tunnel.ended
    bundle.add(port)
    return { ended }
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ExitError
    ? error.exitCode === EXIT_REFUSED || error.exitCode === EXIT_HOST_KEY
    : error instanceof ProtocolError && error.code === 'too-many-tunnels'
