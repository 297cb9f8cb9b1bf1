/** The running topologies of a hub: started as the control process asks, again after the hub was stopped. */
import { availableParallelism } from 'node:os'
import { ConfigError, ProtocolError, reasonOf } from '#net/base/errors.ts'
import type { ServeConfig } from '#hub/config.ts'
import type { Logger } from '#hub/base/log.ts'
import type { LogFollower } from '#hub/base/log-follower.ts'
import type { ProcessUsers } from '#hub/base/privilege.ts'
import { readPlan, TOPOLOGY_NAME, type TopologyPlan } from '#hub/base/topology-plan.ts'
import { DeviceIds } from '#hub/supervisor/device-ids.ts'
import { prepareIdMapHelpers } from '#hub/supervisor/namespaces.ts'
import { pidFilesOf } from '#hub/supervisor/pid-file.ts'
import { RunningTopology, type TopologyStatus } from '#hub/supervisor/running-topology.ts'
import { Slots } from '#hub/supervisor/slots.ts'
import {
  isToRun,
  knownTopologies,
  markToRun,
  removeTopology,
  takePlan,
  TOPOLOGIES,
  unmark,
} from '#hub/supervisor/topology-files.ts'

/** Processes that are started at the same time: what a start takes is a processor. */
const AT_ONCE = Math.max(4, 2 * availableParallelism())

export interface TopologiesContext {
  readonly config: Pick<ServeConfig, 'log'>
  readonly users: ProcessUsers | undefined
  /** The hub's own: its host key's fingerprint. */
  readonly identity: string
  readonly log: Logger
  readonly logs: LogFollower
}

export class Topologies {
  readonly #context: TopologiesContext
  readonly #running = new Map<string, RunningTopology>()
  /** Those that are to run and cannot, and why. */
  readonly #broken = new Map<string, string>()
  readonly #slots = new Slots()
  #ids: DeviceIds
  #isReleased = false
  #closing = false

  constructor(context: TopologiesContext) {
    this.#context = context
    this.#ids = new DeviceIds(TOPOLOGIES)
    if (context.users) prepareIdMapHelpers()
  }

  /**
   * Finds those that ran when the hub was stopped, or go on since its supervisor ended; what was being stopped is ended.
   * To be called before anything is asked. Nothing is started before `release`.
   */
  find(): void {
    for (const name of knownTopologies()) {
      try {
        if (isToRun(name)) this.#run(readPlan(name))
        else if (pidFilesOf(`${name}:`).length > 0) void this.#endLeft(readPlan(name))
      } catch (error) {
        this.#context.log.error(`${name} is not started: ${reasonOf(error)}`)
        if (isToRun(name)) this.#broken.set(name, reasonOf(error))
      }
    }
  }

  /** The hub's own processes run: those of topologies may start. */
  release(): void {
    this.#isReleased = true
    this.#slots.add(AT_ONCE)
  }

  /**
   * Begins to start what the control process has planned; how it goes is in `status`. One that is being stopped is
   * waited for. @throws ProtocolError
   */
  async start(name: string): Promise<void> {
    if (!TOPOLOGY_NAME.test(name)) throw new ProtocolError('bad-params', 'that is no name of a topology')
    if (this.#running.get(name)?.isStopping) await this.stop(name)
    if (this.#closing) throw new ProtocolError('stopping', 'the hub is being stopped')
    if (this.#running.has(name)) throw new ProtocolError('running', `${name} is running already`)
    try {
      this.#run(takePlan(name))
      markToRun(name)
    } catch (error) {
      if (error instanceof ConfigError)
        throw new ProtocolError('bad-topology', error.message, { cause: error })
      throw error
    }
    this.#broken.delete(name)
  }

  /**
   * Ends it, or its start; resolves when it is gone.
   * @param force  at once, without asking its devices to end, which keep less of their disks then
   * @throws ProtocolError `not-running`
   */
  async stop(name: string, force = false): Promise<void> {
    const isBroken = this.#broken.delete(name)
    const topology = isBroken ? undefined : this.#get(name)
    // Before anything ends: the next supervisor goes on with what this one does not bring to its end.
    unmark(name)
    await topology?.stop(force)
    if (topology && this.#running.get(name) === topology) this.#running.delete(name)
  }

  /** Removes all that there is of one that does not run. @throws ProtocolError `running` */
  remove(name: string): void {
    if (!TOPOLOGY_NAME.test(name)) throw new ProtocolError('bad-params', 'that is no name of a topology')
    if (this.#running.has(name)) throw new ProtocolError('running', `${name} is running: stop it first`)
    this.#broken.delete(name)
    removeTopology(name)
    this.#ids = new DeviceIds(TOPOLOGIES)
  }

  /** @throws ProtocolError */
  reset(name: string, device: string): Promise<void> {
    return this.#get(name).reset(device)
  }

  /** @throws ProtocolError */
  rebuild(name: string, device: string): Promise<void> {
    return this.#get(name).rebuild(device)
  }

  async status(): Promise<TopologyStatus[]> {
    const broken = [...this.#broken].map(([name, reason]): TopologyStatus => ({
      name,
      owner: '',
      state: 'failed',
      reason,
      since: Date.now(),
      devices: [],
    }))
    const running = await Promise.all([...this.#running.values()].map((topology) => topology.status()))
    return [...running, ...broken]
  }

  /** Ends all of them, to be started again by the next supervisor. What was not released goes on as it was found. */
  async close(): Promise<void> {
    this.#closing = true
    if (!this.#isReleased) return
    await Promise.all([...this.#running.values()].map((topology) => topology.stop()))
  }

  #run(plan: TopologyPlan): void {
    const topology = new RunningTopology(plan, this.#context, this.#ids)
    this.#running.set(plan.name, topology)
    void topology.start(this.#slots)
  }

  /** What an earlier supervisor had begun to end: shown as stopping until it is gone. */
  async #endLeft(plan: TopologyPlan): Promise<void> {
    const topology = new RunningTopology(plan, this.#context, this.#ids)
    this.#running.set(plan.name, topology)
    try {
      await topology.stop()
      this.#running.delete(plan.name)
    } catch (error) {
      this.#context.log.error(`${plan.name} is not ended: ${reasonOf(error)}`)
    }
  }

  #get(name: string): RunningTopology {
    const topology = this.#running.get(name)
    if (topology) return topology
    throw new ProtocolError('not-running', `no topology ${JSON.stringify(name)} is running`)
  }
}
