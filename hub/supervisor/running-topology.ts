/** One running topology: its forwarding process, and a process for each device. */
import { z } from 'zod'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { programArguments } from '#net/program/arguments.ts'
import { DEVICE_CONSOLE_SOCKET, DEVICE_DISK, DEVICE_SOCKET, deviceDirectory } from '#hub/base/device-paths.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import type { PlannedDevice, TopologyPlan } from '#hub/base/topology-plan.ts'
import { type TelnetConfig, telnetName, telnetSocket } from '#hub/console/telnet/config.ts'
import type { DeviceConfig } from '#hub/device/config.ts'
import type { FabricConfig } from '#hub/fabric/fabric.ts'
import { Child, type ChildState } from '#hub/supervisor/child.ts'
import { DeviceHome } from '#hub/supervisor/device-home.ts'
import type { DeviceIds } from '#hub/supervisor/device-ids.ts'
import { managementOf } from '#hub/supervisor/management-leases.ts'
import type { TopologiesContext } from '#hub/supervisor/topologies.ts'

/** Devices that are started at the same time. */
const AT_ONCE = 8
const MEMORY_MB = 256
const DISK_MB = 64

export interface DeviceStatus {
  readonly name: string
  readonly state: ChildState
  /** Why it is not running; empty when it is. */
  readonly reason: string
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
  #state: TopologyStatus['state'] = 'starting'
  #reason = ''
  readonly #since = Date.now()
  #starting: Promise<void> | undefined

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

  /** Never rejects: what went wrong is in `status`. */
  start(): Promise<void> {
    this.#starting = this.#start().catch((error: unknown) => {
      this.#state = 'failed'
      this.#reason = reasonOf(error)
      this.#context.log.error(`${this.#plan.name}: ${this.#reason}`)
    })
    return this.#starting
  }

  async stop(): Promise<void> {
    this.#state = 'stopping'
    const present = this.#devices.filter((device) => device !== undefined)
    await Promise.all(present.map(({ child }) => child.stop()))
    await this.#starting
    await Promise.all(present.map(({ child }) => child.stop()))
    await Promise.all([this.#telnet.stop(), this.#fabric.stop()])
  }

  /** Switches a device off and on; its disk stays. @throws ProtocolError */
  async reset(name: string): Promise<void> {
    const { child } = this.#get(name)
    await child.stop()
    await child.start()
  }

  /** Switches a device off, and on with its original disk. @throws ProtocolError */
  async rebuild(name: string): Promise<void> {
    const { child, home } = this.#get(name)
    await child.stop()
    home.remove(DEVICE_DISK)
    await child.start()
  }

  async status(): Promise<TopologyStatus> {
    const { name, owner, devices } = this.#plan
    const consoleProblems = await this.#consoleProblems()
    return {
      name,
      owner,
      state: this.#state,
      reason: this.#reason,
      since: this.#since,
      devices: devices.map((planned, i) => {
        const { state, reason } = this.#devices[i]?.child ?? { state: 'failed', reason: planned.problem }
        const { consolePort } = planned
        return { name: planned.name, state, reason, consolePort, consoleProblem: consoleProblems[i] ?? '' }
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

  async #start(): Promise<void> {
    await this.#fabric.start()
    const consoles = this.#telnet.start().catch((error: unknown) => this.#context.log.error(reasonOf(error)))
    const waiting = this.#devices.filter((device) => device !== undefined).values()
    const worker = async (): Promise<void> => {
      for (const { child } of waiting) {
        if (this.#state !== 'starting') return
        await child.start().catch((error: unknown) => this.#context.log.error(reasonOf(error)))
      }
    }
    await Promise.all([consoles, ...Array.from({ length: AT_ONCE }, worker)])
    if (this.#state === 'starting') this.#state = 'running'
  }

  #child(name: string, program: readonly [string, ...string[]], socket: string, config: object): Child {
    const { users, log, config: serve } = this.#context
    const [file, ...rest] = program
    const words = [...programArguments(file), ...rest]
    return new Child({ name, program: words, socket, config, users, logLevel: serve.log, log })
  }

  #device(planned: PlannedDevice, number: number, ids: DeviceIds): RunningDevice | undefined {
    if (planned.problem !== '') return undefined
    const { users, log, config: serve } = this.#context
    const topology = this.#plan.name
    const directory = deviceDirectory(topology, number)
    const home = new DeviceHome(directory, users, users && ids.of(directory))
    const config: DeviceConfig = { topology, device: planned, memoryMb: MEMORY_MB, diskMb: DISK_MB }
    const child = new Child({
      name: `${topology}:device:${planned.name}`,
      program: programArguments('hybridge-device'),
      socket: `${directory}/${DEVICE_SOCKET}`,
      config,
      users,
      home,
      logLevel: serve.log,
      log,
      onReady: () => this.#deviceReady(planned.name),
    })
    return { planned, home, child }
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

const telnetConfig = (plan: TopologyPlan): TelnetConfig => ({
  devices: plan.devices.map((device, i) => ({
    name: `${plan.name}/${device.name}`,
    port: device.consolePort,
    socket: `${deviceDirectory(plan.name, i + 1)}/${DEVICE_CONSOLE_SOCKET}`,
  })),
})

/** Bridges of a topology go by TOPOLOGY/BRIDGE. */
function fabricConfig(plan: TopologyPlan, identity: string): FabricConfig {
  const full = (bridge: string): string => `${plan.name}/${bridge}`
  const management = managementOf(plan)
  return {
    identity,
    bridges: plan.bridges.map((bridge) => ({
      name: full(bridge),
      settings: plan.bridgeSettings[bridge] ?? {},
    })),
    attach: [],
    cables: plan.cables.map(([a, b]) => ({
      ends: [
        { ...a, bridge: full(a.bridge) },
        { ...b, bridge: full(b.bridge) },
      ],
    })),
    devices: plan.devices.map((device, i) => ({
      name: device.name,
      directory: deviceDirectory(plan.name, i + 1),
      interfaces: device.interfaces.map(({ name, bridge, settings }) => ({
        name,
        bridge: bridge === null ? null : full(bridge),
        settings: settings ?? {},
      })),
    })),
    ...(management && { management: { ...management, bridge: full(management.bridge) } }),
  }
}
