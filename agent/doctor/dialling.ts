/** One connection to the hub, begun as hconnect begins it, and how far it came. */
import type { HubConnection } from '#agent/link/dial.ts'
import { tryLargePackets } from '#agent/doctor/measurement.ts'
import { Milestone } from '#net/base/milestone.ts'
import { ExitError, EXIT_OTHER } from '#agent/exit-codes.ts'
import type { Hub } from '#agent/hub.ts'
import { pastBlackHoles } from '#agent/way/path-watch.ts'
import type { SshNegotiated } from '#agent/login/negotiated.ts'
import { reasonOf } from '#net/base/errors.ts'

/** The TCP connection. */
export interface Reached {
  readonly address: string
  readonly localAddress: string
  /** Milliseconds to connect. */
  readonly ms: number
}

export class Dialling {
  /** The caller's, who closes it; undefined: there is none, and `failure` says why. */
  readonly connected: Promise<HubConnection | undefined>
  failure: ExitError | undefined
  /** What was seen of large packets that are lost on the way. */
  blackHole: string | undefined
  readonly #reached = new Milestone<Reached | undefined>()
  readonly #arrived = new Milestone<boolean>()
  readonly #greeted = new Milestone<string | undefined>()
  readonly #negotiated = new Milestone<SshNegotiated | undefined>()
  readonly #stop = new AbortController()

  /** @param isAsking  questions on the terminal are allowed */
  constructor(hub: Hub, isAsking: boolean) {
    let began = performance.now()
    const onBlackHole = (found: string): void => {
      this.blackHole = found
    }
    const dialled = pastBlackHoles({ onBlackHole }, async (watch) => {
      const connection = await hub.dial(undefined, this.#stop.signal, {
        ...(isAsking ? {} : { ask: undefined }),
        onAddress: () => {
          began = performance.now()
        },
        onSocket: (socket) => {
          watch(socket)
          const { remoteAddress = '', localAddress = '' } = socket
          this.#reached.pass({ address: remoteAddress, localAddress, ms: performance.now() - began })
          return Promise.resolve()
        },
        onArrived: () => this.#arrived.pass(true),
        onGreeted: (software) => this.#greeted.pass(software),
        onNegotiated: (what) => this.#negotiated.pass(what),
      })
      await tryLargePackets(connection).catch((error: unknown) => {
        if (connection.socket.destroyed) throw error // as its path loses them; else other checks tell more
      })
      return connection
    })
    this.connected = dialled
      .catch((error: unknown) => {
        this.failure = error instanceof ExitError ? error : new ExitError(EXIT_OTHER, reasonOf(error))
        return undefined
      })
      .finally(() => {
        this.#arrived.pass(false)
        for (const one of [this.#reached, this.#greeted, this.#negotiated]) one.pass(undefined)
      })
  }

  // Each resolves when it is so, or with undefined when it will not be: `failure` then says why.

  get reached(): Promise<Reached | undefined> {
    return this.#reached.reached
  }

  /** Whether the way has led to the hub. */
  get arrived(): Promise<boolean> {
    return this.#arrived.reached
  }

  /** How the hub's SSH names itself, when its key comes to be judged. */
  get greeted(): Promise<string | undefined> {
    return this.#greeted.reached
  }

  /** Keys are exchanged, and the host key was accepted. */
  get negotiated(): Promise<SshNegotiated | undefined> {
    return this.#negotiated.reached
  }

  /** Ends the connection, however far it came. */
  async close(): Promise<void> {
    this.#stop.abort()
    const connection = await this.connected
    connection?.end()
    await connection?.closed
  }
}
