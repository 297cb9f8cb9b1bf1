/** One running topology: its forwarding process, and a process for each device. */
import { z } from 'zod'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { programArguments } from '#net/program/arguments.ts'
import {
  DEVICE_CONFIG,
  DEVICE_CONSOLE_SOCKET,
  DEVICE_DISK,
  DEVICE_SOCKET,
  DEVICE_TAPS_SOCKET,
  deviceDirectory,
} from '#hub/base/device-paths.ts'
import { relayLine } from '#hub/supervisor/log.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import type { PlannedDevice, TopologyPlan } from '#hub/base/topology-plan.ts'
import { telnetName, telnetSocket } from '#hub/console/telnet/config.ts'
import type { DeviceConfig } from '#hub/device/config.ts'
import { routerNotice } from '#hub/device/router-notice.ts'
import { Child, type ChildState } from '#hub/supervisor/child.ts'
import { ControlGroup, type GroupLimits, hasControlGroups } from '#hub/supervisor/control-group.ts'
import { DeviceHome } from '#hub/supervisor/device-home.ts'
import type { DeviceIds } from '#hub/supervisor/device-ids.ts'
import type { Slots } from '#hub/supervisor/slots.ts'
import type { TopologiesContext } from '#hub/supervisor/topologies.ts'
import { fabricConfig, telnetConfig } from '#hub/supervisor/topology-config.ts'
import { removeRunFiles } from '#hub/supervisor/topology-files.ts'

/** A device's disk is written when it ends. */
const PATIENCE_MS = 10_000
const MEMORY_MB = 256
const DISK_MB = 64
/** With the device's own process, which is not its user's. */
const GROUP_LIMITS: GroupLimits = { memoryMb: MEMORY_MB + 64, processes: 512 + 32 }
const SOCKETS = [DEVICE_SOCKET, DEVICE_TAPS_SOCKET, DEVICE_CONSOLE_SOCKET]

interface DeviceStatus {
  readonly name: string
  readonly kind: PlannedDevice['kind']
  readonly managementAddress: string | null
  readonly state: ChildState
  /** Why it is not running; empty when it is. */
  readonly reason: string
  /** What is to be known of it; empty when it is what the topology says. */
  readonly notice: string
  /** TCP port of its console, on loopback. */
  readonly consolePort: number
  /** Why nobody can connect there; empty when he can. */
  readonly consoleProblem: string
}

export interface TopologyStatus {
  readonly name: string
  readonly owner: string
  readonly state: 'starting' | 'running' | 'stopping' | 'failed'
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly devices: readonly DeviceStatus[]
}

interface RunningDevice {
  readonly planned: PlannedDevice
  readonly home: DeviceHome
  readonly child: Child
}

export class RunningTopology {
  readonly #plan: TopologyPlan
  readonly #context: TopologiesContext
  readonly #fabric: Child
  readonly #telnet: Child
  /** In the order of the plan; undefined: the device cannot be started. */
  readonly #devices: readonly (RunningDevice | undefined)[]
  readonly #since = Date.now()
  #started = false
  #stopped: Promise<void> | undefined

  constructor(plan: TopologyPlan, context: TopologiesContext, ids: DeviceIds) {
    this.#plan = plan
    this.#context = context
    const { name } = plan
    this.#fabric = this.#child(
      `${name}:fabric`,
      ['hybridge-fabric', name],
      fabricSockets(name).rpc,
      fabricConfig(plan, context.identity),
    )
    const consoles = telnetConfig(plan)
    this.#telnet = this.#child(telnetName(name), ['hybridge-telnet', name], telnetSocket(name), consoles)
    this.#devices = plan.devices.map((device, i) => this.#device(device, i + 1, ids))
  }

  get isStopping(): boolean {
    return this.#stopped !== undefined
  }

  /** Starts all of it; resolves when all run or have failed, and what has failed is tried again then. Never rejects. */
  async start(slots: Slots): Promise<void> {
    const { log } = this.#context
    const children = [this.#fabric, this.#telnet, ...this.#present().map(({ child }) => child)]
    await Promise.all(
      children.map((child) =>
        slots.run(async () => {
          if (!this.isStopping) await child.start().catch((error: unknown) => log.debug(reasonOf(error)))
        }),
      ),
    )
    this.#started = true
  }

  /** Ends all of it, or its start. @param force  at once */
  stop(force = false): Promise<void> {
    const hurried = force && this.#stopped ? this.#end(true) : undefined
    this.#stopped ??= this.#end(force)
    return hurried ?? this.#stopped
  }

  /** Switches a device off and on; its disk stays. @throws ProtocolError */
  async reset(name: string): Promise<void> {
    const { child } = this.#get(name)
    void child.stop()
    await this.#startAgain(name, child)
  }

  /** Switches a device off, and on with its original disk. @throws ProtocolError */
  async rebuild(name: string): Promise<void> {
    const { child, home } = this.#get(name)
    await child.stop()
    home.remove(DEVICE_DISK)
    await this.#startAgain(name, child)
  }

  async status(): Promise<TopologyStatus> {
    const { name, owner, devices } = this.#plan
    const consoleProblems = await this.#consoleProblems()
    return {
      name,
      owner,
      ...this.#state(),
      since: this.#since,
      devices: devices.map((planned, i) => {
        const { name: device, kind, consolePort, managementAddress, problem } = planned
        const child = this.#devices[i]?.child
        const isWaiting = child?.state === 'stopped' && !this.isStopping
        const state = isWaiting ? 'starting' : (child?.state ?? 'failed')
        const reason = child?.reason ?? problem
        const consoleProblem = consoleProblems[i] ?? ''
        const notice = kind === 'host' ? '' : routerNotice(planned)
        return { name: device, kind, consolePort, consoleProblem, managementAddress, state, reason, notice }
      }),
    }
  }

  /** In the order of the plan. */
  async #consoleProblems(): Promise<readonly string[]> {
    try {
      return ConsoleProblems.parse(await this.#telnet.ask('problems'))
    } catch {
      const { state, reason } = this.#telnet
      return this.#plan.devices.map(() => `telnet is ${state}${reason && `: ${reason}`}`)
    }
  }

  #state(): Pick<TopologyStatus, 'state' | 'reason'> {
    if (this.isStopping) return { state: 'stopping', reason: '' }
    if (!this.#started) return { state: 'starting', reason: '' }
    const { state, reason } = this.#fabric
    if (state === 'running') return { state, reason: '' }
    return { state: 'failed', reason: `forwarding: ${reason === '' ? 'it is started again' : reason}` }
  }

  /** Devices first: what they send last is forwarded still. */
  async #end(force: boolean): Promise<void> {
    const patienceMs = force ? 0 : undefined
    const devices = this.#present()
    await Promise.all(
      devices.map(async ({ child, home }) => {
        await child.stop(patienceMs)
        await home.release()
      }),
    )
    await Promise.all([this.#telnet.stop(patienceMs), this.#fabric.stop(patienceMs)])
    for (const { home } of devices) home.remove(...SOCKETS, DEVICE_CONFIG)
    for (const { name } of [this.#fabric, this.#telnet, ...devices.map(({ child }) => child)])
      this.#context.logs.unfollow(`${name}.log`)
    removeRunFiles(this.#plan.name)
  }

  async #startAgain(name: string, child: Child): Promise<void> {
    if (this.isStopping) throw new ProtocolError('stopping', `${this.#plan.name} is being stopped`)
    try {
      await child.start()
    } catch (error) {
      throw new ProtocolError('failed', `${name} does not start: ${reasonOf(error)}`, { cause: error })
    }
  }

  #present(): RunningDevice[] {
    return this.#devices.filter((device) => device !== undefined)
  }

  #child(name: string, program: readonly [string, ...string[]], socket: string, config: object): Child {
    const { users, log, config: serve } = this.#context
    const [file, ...rest] = program
    const words = [...programArguments(file), ...rest]
    this.#relay(name)
    return new Child({ name, program: words, socket, config, users, logLevel: serve.log, log })
  }

  #device(planned: PlannedDevice, number: number, ids: DeviceIds): RunningDevice | undefined {
    if (planned.problem !== '') return undefined
    const { users, log, config: serve } = this.#context
    const topology = this.#plan.name
    const directory = deviceDirectory(topology, number)
    const group =
      users && hasControlGroups() ? new ControlGroup(`${topology}:${number}`, GROUP_LIMITS) : undefined
    const home = new DeviceHome(directory, users, users && ids.of(directory), group)
    const config: DeviceConfig = {
      topology,
      device: planned,
      memoryMb: MEMORY_MB,
      diskMb: DISK_MB,
      isLimited: group !== undefined,
    }
    const name = `${topology}:device:${planned.name}`
    this.#relay(name)
    const child = new Child({
      name,
      // For who looks at the machine's processes.
      program: [...programArguments('hybridge-device'), `${topology}/${planned.name}`],
      socket: `${directory}/${DEVICE_SOCKET}`,
      config,
      users,
      home,
      patienceMs: PATIENCE_MS,
      logLevel: serve.log,
      log,
      onReady: () => this.#deviceReady(planned.name),
    })
    return { planned, home, child }
  }

  #relay(name: string): void {
    const { log, logs } = this.#context
    logs.follow(`${name}.log`, (line) => relayLine(log, name, line))
  }

  /** Its interfaces need not wait until the fabric looks for them by itself. */
  #deviceReady(device: string): void {
    this.#fabric.ask('device.up', { device }).catch(() => {
      // It is not there now; when it is, it looks.
    })
  }

  #get(name: string): RunningDevice {
    const index = this.#plan.devices.findIndex((device) => device.name === name)
    if (index < 0)
      throw new ProtocolError('unknown-device', `${this.#plan.name} has no device ${JSON.stringify(name)}`)
    const device = this.#devices[index]
    if (device) return device
    throw new ProtocolError('not-running', `${name} cannot be started: ${this.#plan.devices[index]?.problem}`)
  }
}

const ConsoleProblems = z.array(z.string().max(500)).max(512)
