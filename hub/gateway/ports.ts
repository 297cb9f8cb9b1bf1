/** Ports of a bridge for a user of the SSH port: `ssh -p 2222 ann@hub hybridge ports private0`. */
import type { ServerChannel } from 'ssh2'
import { ProtocolError } from '#net/base/errors.ts'
import { COUNTERS_SOCKET } from '#hub/base/data-directory.ts'
import { RpcClient } from '#hub/base/rpc.ts'
import { formatPorts, parsePorts, type PortStatus } from '#hub/command/show-text.ts'

const FABRIC_TIMEOUT_MS = 3000
/** Users of one gateway who wait for an answer at once. */
const MOST_WAITING = 32

export class PortsAnswer {
  readonly #fabric = new RpcClient(COUNTERS_SOCKET, {
    timeoutMs: FABRIC_TIMEOUT_MS,
    maxWaiting: MOST_WAITING,
  })
  readonly #isHidden: boolean

  /** @param isHidden  users are told nothing */
  constructor(isHidden: boolean) {
    this.#isHidden = isHidden
  }

  /** @throws ProtocolError, SystemError when it cannot be answered */
  async serve(channel: ServerChannel, bridge: string, json: boolean): Promise<void> {
    channel.on('error', () => {}) // 'close' follows
    channel.resume()
    if (this.#isHidden)
      throw new ProtocolError(
        'not-allowed',
        'this hub shows no ports to its users (it was started with --hide-ports)',
      )
    const ports = parsePorts(await this.#fabric.call('ports', { bridge }))
    if (!channel.writable) return
    channel.write(`${json ? JSON.stringify(ports.map(told)) : textOf(ports)}\n`)
    channel.exit(0)
    channel.end()
  }
}

/** What users are told of a port; the fabric tells more. */
const told = ({ bridge, number, name, description, up, counters }: PortStatus): object => ({
  bridge,
  number,
  name,
  description,
  up,
  counters,
})

const textOf = (ports: readonly PortStatus[]): string =>
  ports.length === 0 ? 'no ports' : formatPorts(ports.map((port) => ({ ...port, settings: {} })))
