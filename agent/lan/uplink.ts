/** `--allow-uplink`: which connections the bridge leaves out, as the agent dials one address of the hub after another. */
import type { Socket } from 'node:net'

import { EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import { SystemError } from '#net/base/errors.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import type { Connection } from '#net/port/nic/connection-matcher.ts'
import { sourceAddress } from '#net/port/socket-address.ts'
import { addressOctets } from '#net/wire/ip-address.ts'

/** The last ones stay left out: packets of a connection that was lost still come for a while. */
const KEPT = 8

export class Uplink {
  readonly #keepOut: (connections: readonly Connection[]) => void
  #connections: readonly Connection[] = []

  /** @param keepOut  takes the connections that are to be left out, and no others; may throw a SystemError */
  constructor(keepOut: (connections: readonly Connection[]) => void) {
    this.#keepOut = keepOut
  }

  /** To be called before a connection to this numeric address is begun. @throws ExitError when the system refuses */
  dialling(address: string, port: number): void {
    const hub = plainAddress(address)
    const own = sourceAddress(hub, port)
    // Without a way to the hub no connection comes about.
    if (own !== undefined) this.#add({ own, hub: octetsOf(hub), port })
  }

  /**
   * To be called with the connection before anything is said on it: its way may have changed while it was begun.
   * @throws ExitError when the system refuses
   */
  connected(socket: Socket): void {
    const { localAddress, remoteAddress, remotePort } = socket
    if (localAddress === undefined || remoteAddress === undefined || remotePort === undefined) return
    this.#add({
      own: octetsOf(plainAddress(localAddress)),
      hub: octetsOf(plainAddress(remoteAddress)),
      port: remotePort,
    })
  }

  #add(connection: Connection): void {
    const [newest] = this.#connections
    if (newest !== undefined && isSame(newest, connection)) return
    const others = this.#connections.filter((known) => !isSame(known, connection))
    const connections = [connection, ...others].slice(0, KEPT)
    try {
      this.#keepOut(connections)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw new ExitError(EXIT_OTHER, error.message, { cause: error })
    }
    this.#connections = connections
  }
}

const octetsOf = (address: string): Uint8Array => addressOctets(address.split('%')[0] ?? '')

const isSame = (a: Connection, b: Connection): boolean =>
  a.port === b.port && Buffer.compare(a.own, b.own) === 0 && Buffer.compare(a.hub, b.hub) === 0
