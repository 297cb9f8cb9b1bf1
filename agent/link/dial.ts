/** Reaching the hub: a way to it, and SSH on that. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { Client, ClientChannel } from 'ssh2'

import { EXIT_PROTOCOL, EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { login, type LoginOptions } from '#agent/login/login.ts'
import { excerpt } from '#agent/excerpt.ts'
import { type Attempt, type Connection, directWay, nameOf, type Way } from '#agent/way/way.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'

const EXEC_MS = 10_000
const FLUSH_MS = 1_000

export interface DialOptions extends Attempt, Omit<LoginOptions, 'name'> {
  readonly host: string
  readonly port: number
  /** The way has led to the hub, before SSH begins. */
  readonly onArrived?: (() => void) | undefined
  /** Default: TCP. */
  readonly way?: Way
}

/** An authenticated connection. */
export class HubConnection implements Transport {
  readonly #client: Client
  readonly stream: Duplex
  readonly socket: Socket
  /** Of the hub: numeric, where this machine knows that, else as it was named. */
  readonly address: string
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  /** Milliseconds that the hub took to answer before SSH began. */
  readonly roundTripMs: number

  constructor(client: Client, connection: Connection, closed: Promise<void>) {
    this.#client = client
    this.stream = connection.stream
    this.socket = connection.socket
    this.address = connection.address
    this.closed = closed
    this.roundTripMs = connection.roundTripMs
  }

  /**
   * Opens a channel with a command of the hub. Its stdout and stderr must be drained, else it never closes.
   * @throws ExitError
   */
  exec(command: string): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const fail = (code: number, message: string): void => {
        clearTimeout(timer)
        reject(new ExitError(code, message))
      }
      const timer = setTimeout(() => {
        fail(EXIT_UNREACHABLE, 'the hub does not answer in time')
        this.destroy()
      }, EXEC_MS)
      try {
        this.#client.exec(command, (error: Error | undefined, channel) => {
          clearTimeout(timer)
          if (error === undefined) resolve(channel)
          else if (this.socket.destroyed) fail(EXIT_UNREACHABLE, 'the hub closed the connection')
          else fail(EXIT_PROTOCOL, `the hub refuses the command: ${excerpt(error.message)}`)
        })
      } catch {
        fail(EXIT_UNREACHABLE, 'the hub closed the connection')
      }
    })
  }

  /** As `exec`, for what nothing depends on: a hub that never answers is not taken for dead. @throws Error when it is */
  tryExec(command: string, tell: (error: Error | undefined, channel: ClientChannel) => void): void {
    this.#client.exec(command, tell)
  }

  /** Ends in order: what is written goes out first, if it goes out soon. */
  end(): void {
    this.#client.end()
    const timer = setTimeout(() => this.destroy(), FLUSH_MS)
    this.socket.once('close', () => clearTimeout(timer))
    if (this.socket.closed) clearTimeout(timer)
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** Connects and logs in. @throws ExitError */
export async function dial(options: DialOptions): Promise<HubConnection> {
  const { host, port, way = directWay } = options
  const hub = { what: 'the hub', host, port }
  const connection = await way(hub, options)
  options.onArrived?.()
  const closed = new Promise<void>((done) => {
    connection.socket.once('close', () => done())
  })
  const client = await login({ ...options, name: nameOf(hub) }, connection)
  return new HubConnection(client, connection, closed)
}
