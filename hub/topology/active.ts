/**
 * Topologies of the hub as its control process has them: their file sets, topologies/NAME/set in the data directory,
 * which is the working directory; what is to run of them is told to the supervisor.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { ProtocolError, SystemError } from '#net/base/errors.ts'
import type { RpcClient } from '#net/base/rpc.ts'
import { planFile, readPlan, TOPOLOGY_NAME, type TopologyPlan } from '#hub/base/topology-plan.ts'
import { formatDiagnostic } from '#hub/topology/language/source.ts'
import { openTopology } from '#hub/topology/open.ts'
import { planOf } from '#hub/topology/plan.ts'
import { readTopology } from '#hub/topology/read.ts'

const TOPOLOGIES = 'topologies'
/** TCP ports of consoles, on loopback. */
const FIRST_CONSOLE_PORT = 5001
const MANAGEMENT_PREFIXES = '10.255'

export class ActiveTopologies {
  readonly #supervisor: Pick<RpcClient, 'call'>
  readonly #identity: string

  constructor(supervisor: Pick<RpcClient, 'call'>, identity: string) {
    this.#supervisor = supervisor
    this.#identity = identity
  }

  /** Plans the set of that name and has it started. @throws ProtocolError with all that is wrong with it */
  async start(name: string, owner: string): Promise<void> {
    const set = this.#setOf(name)
    const { file, set: files } = await openTopology(set)
    const { topology, diagnostics } = readTopology(file, files)
    if (topology === undefined)
      throw new ProtocolError('bad-topology', diagnostics.list.map(formatDiagnostic).join('\n'))
    const others = this.#plans().filter((plan) => plan.name !== name)
    const plan = planOf(topology, {
      name,
      owner,
      identity: this.#identity,
      read: (path) => (files ? files.read(path) : ''),
      consolePorts: freePorts(others, topology.devices.length),
      managementPrefix: freePrefix(others),
    })
    mkdirSync(`${TOPOLOGIES}/${name}`, { recursive: true, mode: 0o710 })
    writeFileSync(`${planFile(name)}.new`, JSON.stringify(plan), { mode: 0o600 })
    renameSync(`${planFile(name)}.new`, planFile(name))
    await this.#supervisor.call('topology.start', { name })
  }

  #setOf(name: string): string {
    const set = `${TOPOLOGIES}/${name}/set`
    if (TOPOLOGY_NAME.test(name) && existsSync(set)) return set
    throw new ProtocolError('unknown-topology', `there is no topology ${JSON.stringify(name)}`)
  }

  /** Of all that have been started. */
  #plans(): TopologyPlan[] {
    if (!existsSync(TOPOLOGIES)) return []
    return readdirSync(TOPOLOGIES).flatMap((name) => {
      try {
        return [readPlan(name)]
      } catch (error) {
        if (error instanceof SystemError) throw error
        return []
      }
    })
  }
}

function freePorts(others: readonly TopologyPlan[], count: number): number[] {
  const taken = new Set(others.flatMap(({ devices }) => devices.map(({ consolePort }) => consolePort)))
  const ports: number[] = []
  for (let port = FIRST_CONSOLE_PORT; ports.length < count && port < 65_536; port++)
    if (!taken.has(port)) ports.push(port)
  return ports
}

function freePrefix(others: readonly TopologyPlan[]): string {
  const taken = new Set(others.map(({ managementNetwork }) => managementNetwork))
  for (let i = 0; i < 256; i++)
    if (!taken.has(`${MANAGEMENT_PREFIXES}.${i}.0/24`)) return `${MANAGEMENT_PREFIXES}.${i}`
  throw new ProtocolError('too-many-topologies', 'all management networks are in use')
}
