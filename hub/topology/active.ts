/**
 * Topologies of the hub as its control process has them: their file sets, topologies/NAME/set in the data directory,
 * which is the working directory; what is to run of them is told to the supervisor.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { ConfigError, ProtocolError } from '#net/base/errors.ts'
import type { RpcClient } from '#net/base/rpc.ts'
import { newPlanFile, planFile, readPlan, type TopologyPlan, writePlan } from '#hub/base/topology-plan.ts'
import { freeManagementNetwork } from '#hub/base/management-network.ts'
import { formatDiagnostic } from '#hub/topology/language/source.ts'
import { setDirectory } from '#hub/topology/library.ts'
import { openTopology } from '#hub/topology/open.ts'
import { listeningPorts } from '#hub/topology/listening-ports.ts'
import { planOf } from '#hub/topology/plan.ts'
import { readTopology } from '#hub/topology/read.ts'

const TOPOLOGIES = 'topologies'
/** TCP ports of consoles, on loopback. */
const FIRST_CONSOLE_PORT = 5001

export class ActiveTopologies {
  readonly #supervisor: Pick<RpcClient, 'call'>
  readonly #identity: string
  readonly #managementNetwork: string

  /** @param managementNetwork  out of which each topology has one */
  constructor(supervisor: Pick<RpcClient, 'call'>, identity: string, managementNetwork: string) {
    this.#supervisor = supervisor
    this.#identity = identity
    this.#managementNetwork = managementNetwork
  }

  /**
   * Plans the set of that name and has it started.
   * @param owner  undefined: whose it was
   * @throws ProtocolError with all that is wrong with it
   */
  async start(name: string, owner = this.ownerOf(name)): Promise<void> {
    const { topology, files } = await this.#read(name)
    // Nothing is awaited from here until the plan is written, or two topologies might get the same ports.
    const others = this.#plans().filter((plan) => plan.name !== name)
    const plan = planOf(topology, {
      name,
      owner,
      identity: this.#identity,
      read: (path) => (files ? files.read(path) : ''),
      consolePorts: freePorts(others, topology.devices.length),
      managementNetwork: this.#freeNetwork(others),
    })
    mkdirSync(`${TOPOLOGIES}/${name}`, { recursive: true, mode: 0o710 })
    writePlan(plan)
    try {
      await this.#supervisor.call('topology.start', { name })
    } catch (error) {
      // It would be taken for that of the topology that runs.
      rmSync(newPlanFile(name), { force: true })
      throw error
    }
  }

  /** Of the last start; empty: the operators'. */
  ownerOf(name: string): string {
    return this.#plans().find((plan) => plan.name === name)?.owner ?? ''
  }

  async #read(name: string) {
    const set = setDirectory(name)
    if (!existsSync(set))
      throw new ProtocolError('unknown-topology', `there is no topology ${name} in the library`)
    try {
      const { file, set: files } = await openTopology(set)
      const { topology, diagnostics } = readTopology(file, files)
      if (topology !== undefined) return { topology, files }
      throw new ProtocolError('bad-topology', diagnostics.list.map(formatDiagnostic).join('\n'))
    } catch (error) {
      if (error instanceof ConfigError)
        throw new ProtocolError('bad-topology', error.message, { cause: error })
      throw error
    }
  }

  #freeNetwork(others: readonly TopologyPlan[]): string {
    const pool = this.#managementNetwork
    const taken = new Set(others.map(({ managementNetwork }) => managementNetwork))
    const free = freeManagementNetwork(pool, taken)
    if (free !== undefined) return free
    throw new ProtocolError(
      'too-many-topologies',
      `other topologies have all management networks of ${pool} (serve --management-network takes a larger one)`,
    )
  }

  /** Of all that have been started, or are about to be. */
  #plans(): TopologyPlan[] {
    if (!existsSync(TOPOLOGIES)) return []
    return readdirSync(TOPOLOGIES).flatMap((name) => {
      for (const file of [newPlanFile(name), planFile(name)]) {
        try {
          return [readPlan(name, file)]
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
        }
      }
      return []
    })
  }
}

function freePorts(others: readonly TopologyPlan[], count: number): number[] {
  const planned = others.flatMap(({ devices }) => devices.map(({ consolePort }) => consolePort))
  const taken = new Set([...planned, ...listeningPorts()])
  const ports: number[] = []
  for (let port = FIRST_CONSOLE_PORT; ports.length < count && port < 65_536; port++)
    if (!taken.has(port)) ports.push(port)
  return ports
}
