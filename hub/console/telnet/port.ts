/** The TCP port of a device's console, on loopback; one that another program has is tried again. */
import { createServer, type Server } from 'node:net'
import { reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { MOST_VIEWERS } from '#hub/console/session.ts'
import type { ConsoleDevice } from '#hub/console/telnet/config.ts'
import { TelnetConnection } from '#hub/console/telnet/connection.ts'

const ADDRESS = '127.0.0.1'
const TRY_AGAIN_MS = 2000
/** Viewers, and some who are told that there are too many. */
const MOST_CONNECTIONS = MOST_VIEWERS + 4

export class ConsolePort {
  readonly device: ConsoleDevice
  readonly #server: Server
  #problem = ''

  constructor(device: ConsoleDevice) {
    this.device = device
    this.#server = createServer({ noDelay: true }, (socket) => new TelnetConnection(socket, device))
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  /** Why nobody can connect; empty when he can. */
  get problem(): string {
    return this.#problem
  }

  /** Resolves when it listens, or will be tried again. */
  listen(): Promise<void> {
    const { port } = this.device
    return new Promise((resolve) => {
      const onFailure = (error: unknown): void => {
        this.#server.off('listening', onListening)
        const why = errnoOf(error) === 'EADDRINUSE' ? 'another program has it' : reasonOf(error)
        this.#problem = `its console has no TCP port ${port}: ${why} (tried again every ${TRY_AGAIN_MS / 1000} s)`
        setTimeout(() => void this.listen(), TRY_AGAIN_MS).unref()
        resolve()
      }
      const onListening = (): void => {
        this.#server.off('error', onFailure)
        this.#problem = ''
        resolve()
      }
      this.#server.once('error', onFailure).once('listening', onListening).listen({ host: ADDRESS, port })
    })
  }
}
