/** Ports of a bridge for a user of the SSH port: `ssh -p 2222 ann@hub hybridge ports private0`. */
import { ProtocolError } from '#net/base/errors.ts'
import { formatPorts, parsePorts, type PortStatus } from '#hub/command/show-text.ts'

/** How long an answer is given again: however often users ask, the fabric is asked about so often for each bridge. */
const FRESH_MS = 1000
/** Bridges whose answers are kept. */
const MOST_KEPT = 64

export interface PortsAnswerOptions {
  /** Asks the fabric of a bridge for its ports. @param bridge  in full */
  readonly ask: (bridge: string) => Promise<unknown>
  /** Users are told nothing. */
  readonly isHidden: boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
}

interface Kept {
  readonly at: number
  readonly ports: Promise<PortStatus[]>
}

export class PortsAnswer {
  readonly #options: PortsAnswerOptions
  /** By bridge, the oldest first. */
  readonly #kept = new Map<string, Kept>()

  constructor(options: PortsAnswerOptions) {
    this.#options = options
  }

  /** One line of JSON, or a table. @param bridge  in full @throws ProtocolError, SystemError when it cannot be answered */
  async text(bridge: string, json: boolean): Promise<string> {
    if (this.#options.isHidden)
      throw new ProtocolError(
        'not-allowed',
        'this hub shows no ports to its users (it was started with --hide-ports)',
      )
    const ports = await this.#ports(bridge)
    if (json) return JSON.stringify(ports.map(told))
    return ports.length === 0 ? 'no ports' : formatPorts(ports.map((port) => ({ ...port, settings: {} })))
  }

  #ports(bridge: string): Promise<PortStatus[]> {
    const { ask, now } = this.#options
    const kept = this.#kept.get(bridge)
    if (kept && now() - kept.at < FRESH_MS) return kept.ports
    const ports = ask(bridge).then(parsePorts)
    this.#kept.delete(bridge)
    this.#kept.set(bridge, { at: now(), ports })
    const [oldest = bridge] = this.#kept.keys()
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(oldest)
    return ports
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
