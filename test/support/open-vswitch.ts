/** Open vSwitch in user space, without systemd: a database and a switch of its own, and one bridge `br0`. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

export class OpenVSwitch {
  readonly #namespace: Namespace
  readonly #database: string
  readonly #control: string

  private constructor(namespace: Namespace, directory: string) {
    this.#namespace = namespace
    this.#control = join(directory, 'switch.ctl')
    this.#database = `unix:${join(directory, 'db.sock')}`
  }

  /** Ends with the namespace's laboratory. @param nics  interfaces of the namespace, ports of br0 by these names */
  static async start(namespace: Namespace, nics: readonly string[]): Promise<OpenVSwitch> {
    const directory = mkdtempSync(join(namespace.directory, 'ovs-'))
    const env = { OVS_RUNDIR: directory, OVS_DBDIR: directory, OVS_LOGDIR: directory }
    const file = (name: string): string => join(directory, name)
    const unixctl = (name: string): string => `--unixctl=${file(name)}`
    namespace.exec('ovsdb-tool', 'create', file('conf.db'), SCHEMA)
    const remote = `--remote=punix:${file('db.sock')}`
    namespace.spawn('ovsdb-server', [file('conf.db'), remote, unixctl('db.ctl')], { env })
    const ovs = new OpenVSwitch(namespace, directory)
    await until('the database of Open vSwitch', () => ovs.#answers(['--no-wait', 'init']))
    namespace.spawn('ovs-vswitchd', [`unix:${file('db.sock')}`, unixctl('switch.ctl')], { env })
    ovs.set('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev')
    ovs.set(...nics.flatMap((nic) => ['--', 'add-port', 'br0', nic]))
    return ovs
  }

  /** `ovs-vsctl ARGS`: the switch has changed when it returns. */
  set(...args: string[]): void {
    this.#namespace.exec('ovs-vsctl', `--db=${this.#database}`, '--timeout=20', ...args)
  }

  /** Forgets what is cached of the flows' ways: it is revalidated some time after a change only. */
  purge(): void {
    this.#namespace.exec('ovs-appctl', `--target=${this.#control}`, 'revalidator/purge')
  }

  #answers(args: readonly string[]): boolean {
    try {
      this.#namespace.exec('ovs-vsctl', `--db=${this.#database}`, '--timeout=1', ...args)
      return true
    } catch {
      return false // its socket is not there yet
    }
  }
}
