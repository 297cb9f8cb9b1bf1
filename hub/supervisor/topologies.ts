/** The running topologies of a hub: started as the control process asks, again after the hub was stopped. */
import { closeSync, existsSync, openSync, readdirSync, rmSync } from 'node:fs'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import type { ServeConfig } from '#hub/config.ts'
import type { Logger } from '#hub/base/log.ts'
import type { ProcessUsers } from '#hub/base/privilege.ts'
import { readPlan, TOPOLOGY_NAME } from '#hub/base/topology-plan.ts'
import { DeviceIds } from '#hub/supervisor/device-ids.ts'
import { prepareIdMapHelpers } from '#hub/supervisor/namespaces.ts'
import { RunningTopology, type TopologyStatus } from '#hub/supervisor/running-topology.ts'

const TOPOLOGIES = 'topologies'

export interface TopologiesContext {
  readonly config: Pick<ServeConfig, 'log'>
  readonly users: ProcessUsers | undefined
  /** The hub's own: its host key's fingerprint. */
  readonly identity: string
  readonly log: Logger
}

export class Topologies {
  readonly #context: TopologiesContext
  readonly #running = new Map<string, RunningTopology>()
  readonly #ids: DeviceIds

  constructor(context: TopologiesContext) {
    this.#context = context
    this.#ids = new DeviceIds(TOPOLOGIES)
    if (context.users) prepareIdMapHelpers()
  }

  /** Those that ran when the hub was stopped, or go on since its supervisor ended. */
  startAgain(): void {
    if (!existsSync(TOPOLOGIES)) return
    for (const name of readdirSync(TOPOLOGIES)) {
      if (!TOPOLOGY_NAME.test(name) || !existsSync(markOf(name))) continue
      try {
        this.start(name)
      } catch (error) {
        this.#context.log.error(`${name} is not started: ${reasonOf(error)}`)
      }
    }
  }

  /** Begins to start what plan.json says; how it goes is in `status`. @throws ProtocolError, ConfigError */
  start(name: string): void {
    if (!TOPOLOGY_NAME.test(name)) throw new ProtocolError('bad-params', 'that is no name of a topology')
    if (this.#running.has(name)) throw new ProtocolError('running', `${name} is running already`)
    const topology = new RunningTopology(readPlan(name), this.#context, this.#ids)
    this.#running.set(name, topology)
    closeSync(openSync(markOf(name), 'w', 0o600))
    void topology.start()
  }

  /** Ends it, or its start; resolves when it is gone. @throws ProtocolError `not-running` */
  async stop(name: string): Promise<void> {
    const topology = this.#get(name)
    await topology.stop()
    rmSync(markOf(name), { force: true })
    this.#running.delete(name)
  }

  /** @throws ProtocolError */
  reset(name: string, device: string): Promise<void> {
    return this.#get(name).reset(device)
  }

  /** @throws ProtocolError */
  rebuild(name: string, device: string): Promise<void> {
    return this.#get(name).rebuild(device)
  }

  status(): Promise<TopologyStatus[]> {
    return Promise.all([...this.#running.values()].map((topology) => topology.status()))
  }

  /** All of them, to be started again by the next supervisor. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((topology) => topology.stop()))
  }

  #get(name: string): RunningTopology {
    const topology = this.#running.get(name)
    if (topology) return topology
    throw new ProtocolError('not-running', `no topology ${JSON.stringify(name)} is running`)
  }
}

/** Is there as long as the topology is to run. */
const markOf = (name: string): string => `${TOPOLOGIES}/${name}/running`
