/** A topology that runs on a hub in a laboratory, and its devices. */
import { join } from 'node:path'
import { RpcClient, type RpcParams } from '#net/base/rpc.ts'
import { isRecord } from '#net/base/unknown.ts'
import type { PortReading } from '#hub/fabric/fabric.ts'
import type { Hub } from '#test/support/hub.ts'
import type { Namespace } from '#test/support/netns.ts'
import { finish, type Finished, type Running, type RunOptions } from '#test/support/process.ts'
import { devicePid, startTopology, topologyStatus } from '#test/support/topologies.ts'
import type { TopologyStatus } from '#hub/supervisor/running-topology.ts'

const TIMEOUT_MS = 30_000

export class RunningTopology {
  readonly name: string
  readonly #hub: Hub

  /** One that was started by what a user types. */
  constructor(hub: Hub, name: string) {
    this.#hub = hub
    this.name = name
  }

  /**
   * Puts a topology file there, starts it, waits until all its devices run.
   * @param files  what else is in its file set, by name
   */
  static async start(
    hub: Hub,
    name: string,
    text: string,
    files: Readonly<Record<string, string>> = {},
  ): Promise<RunningTopology> {
    await startTopology(hub, name, text, files)
    return new RunningTopology(hub, name)
  }

  status(): Promise<TopologyStatus> {
    return topologyStatus(this.#hub, this.name)
  }

  /** The process that forwards its frames. */
  async fabricPid(): Promise<number> {
    const status = await ask(this.#socket(`${this.name}:fabric`), 'status')
    return Number(isRecord(status) ? status['pid'] : 0)
  }

  /** @param number  its place in the file, from 1 */
  async device(number: number): Promise<Device> {
    return new Device(this.#hub.namespace, await devicePid(this.#hub, this.name, number))
  }

  /** Switches a device off and on; resolves when it runs. */
  async reset(device: string): Promise<void> {
    await ask(this.#socket('supervisor'), 'device.reset', { topology: this.name, device })
  }

  async ports(): Promise<PortReading[]> {
    const rows = await ask(this.#socket(`${this.name}:fabric`), 'ports')
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
    await ask(this.#socket(`${this.name}:fabric`), 'port.set', { bridge, port: name, settings })
  }

  #socket(name: string): string {
    return join(this.#hub.data, 'run', `${name}.sock`)
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

async function ask(socket: string, operation: string, params: RpcParams = {}): Promise<unknown> {
  const client = new RpcClient(socket, { timeoutMs: TIMEOUT_MS })
  try {
    return await client.call(operation, params)
  } finally {
    client.close()
  }
}
