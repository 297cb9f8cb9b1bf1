/** A topology that runs on a hub in a laboratory, and its devices. */
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PortReading } from '#hub/fabric/readings.ts'
import type { TopologyStatus } from '#hub/supervisor/running-topology.ts'
import { askProcess, askSocket, pidIn, pidOfProcess } from '#test/support/ask-process.ts'
import type { Hub } from '#test/support/hub.ts'
import type { Namespace } from '#test/support/netns.ts'
import { finish, type Finished, type Running, type RunOptions, until } from '#test/support/process.ts'

const READY_MS = 30_000

export class RunningTopology {
  readonly name: string
  readonly #hub: Hub

  constructor(hub: Hub, name: string) {
    this.#hub = hub
    this.name = name
  }

  /**
   * Puts a topology file there and has it started.
   * @param files  what else is in its file set, by name
   */
  static async begin(
    hub: Hub,
    name: string,
    text: string,
    files: Readonly<Record<string, string>> = {},
  ): Promise<RunningTopology> {
    const directory = join(hub.data, 'topologies', name)
    mkdirSync(join(directory, 'set'), { recursive: true })
    for (const [file, content] of Object.entries({ ...files, 'topology.vmm': text }))
      writeFileSync(join(directory, 'set', file), content)
    const { uid, gid } = statSync(join(hub.data, 'run', 'control.sock'))
    for (const path of [join(hub.data, 'topologies'), directory]) chownSync(path, uid, gid)
    await askProcess(hub, 'control', 'topology.start', { name })
    return new RunningTopology(hub, name)
  }

  /** The same, and waits until all its devices run. */
  static async start(...what: Parameters<typeof RunningTopology.begin>): Promise<RunningTopology> {
    const topology = await RunningTopology.begin(...what)
    await topology.until(({ state }) => state === 'running')
    const failed = (await topology.status()).devices.filter(({ state }) => state !== 'running')
    if (failed.length > 0) throw new Error(`devices do not run: ${JSON.stringify(failed)}`)
    return topology
  }

  async status(): Promise<TopologyStatus> {
    const all = await askProcess(this.#hub, 'control', 'topology.status')
    const rows: TopologyStatus[] = Array.isArray(all) ? all : []
    const found = rows.find(({ name }) => name === this.name)
    if (!found) throw new Error(`${this.name} does not run`)
    return found
  }

  /** Waits until it is as wanted. */
  async until(isSo: (status: TopologyStatus) => boolean): Promise<void> {
    await until(`${this.name} is as wanted`, async () => isSo(await this.status()), READY_MS)
  }

  /** The process that forwards its frames. */
  async fabricPid(): Promise<number> {
    return pidOfProcess(this.#hub, `${this.name}:fabric`)
  }

  /** Waits until all devices run. @param number  its place in the file, from 1 */
  async device(number: number): Promise<Device> {
    await this.until(({ devices }) => devices.every(({ state }) => state === 'running'))
    const socket = join(this.#hub.data, 'topologies', this.name, 'devices', String(number), 'device.sock')
    return new Device(this.#hub.namespace, pidIn(await askSocket(socket, 'status')))
  }

  /** Switches a device off and on; resolves when it runs. */
  async reset(device: string): Promise<void> {
    await askProcess(this.#hub, 'supervisor', 'device.reset', { topology: this.name, device })
  }

  /** The same, with its original disk. */
  async rebuild(device: string): Promise<void> {
    await askProcess(this.#hub, 'supervisor', 'device.rebuild', { topology: this.name, device })
  }

  async ports(): Promise<PortReading[]> {
    const rows = await askProcess(this.#hub, `${this.name}:fabric`, 'ports')
    return Array.isArray(rows) ? rows : []
  }

  /** @param name  `h1:em0` */
  async port(name: string): Promise<PortReading> {
    const found = (await this.ports()).find(({ description }) => description === name)
    if (!found) throw new Error(`${this.name} has no port ${name}`)
    return found
  }

  async setPort(name: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const { bridge } = await this.port(name)
    await askProcess(this.#hub, `${this.name}:fabric`, 'port.set', { bridge, port: name, settings })
  }
}

/** The network of a device, in which programs of a test run as its root. */
export class Device {
  readonly pid: number
  readonly #namespace: Namespace

  constructor(namespace: Namespace, pid: number) {
    this.#namespace = namespace
    this.pid = pid
  }

  exec(name: string, ...args: string[]): string {
    return this.#namespace.exec('nsenter', ...this.#enter, name, ...args)
  }

  spawn(name: string, args: readonly string[]): Running {
    return this.#namespace.spawn('nsenter', [...this.#enter, name, ...args])
  }

  run(name: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return finish(this.spawn(name, args), options)
  }

  /** Waits for the first answer from an address; for ways that have just been set up. */
  async reaches(address: string, deadlineSeconds = 10): Promise<void> {
    await this.run('ping', ['-c', '1', '-i', '0.05', '-w', String(deadlineSeconds), address])
  }

  get #enter(): string[] {
    return ['-t', String(this.pid), '--user', '--net']
  }
}
