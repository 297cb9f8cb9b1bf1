/** A hub in a namespace, with a data directory, one user and his key of its own. */
import { chmodSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import { HUB_COMMAND, requireBuild } from '#test/support/product.ts'
import type { Finished, RunOptions, Running } from '#test/support/process.ts'

type Through = readonly [] | readonly [string, ...string[]]

export interface HubOptions {
  /** Address in the namespace that agents dial. */
  address: string
  port?: number
  /** Default: `private0`. */
  bridges?: readonly string[]
  /** `BRIDGE=KIND:ARG`. */
  attach?: readonly string[]
  /** Further arguments of `hybridge serve`. */
  args?: readonly string[]
  /** Name of the user; he is made with a key and no password. */
  user?: string
  env?: NodeJS.ProcessEnv
  /** What it is started by: `setpriv ...`. */
  through?: Through
}

/** The machine's file systems, which what runs in a namespace does not quite see: control groups are not there. */
export const WITH_MACHINE_MOUNTS = ['nsenter', `--mount=/proc/${process.pid}/ns/mnt`, '--'] as const

export class Hub {
  readonly namespace: Namespace
  readonly address: string
  readonly port: number
  readonly user: string
  /** Data directory. */
  readonly data: string
  /** The user's private key file; the public one has `.pub` behind it. */
  readonly identity: string
  readonly #arguments: readonly string[]
  readonly #env: NodeJS.ProcessEnv
  readonly #through: Through
  #process: Running | undefined

  private constructor(namespace: Namespace, options: HubOptions) {
    const {
      address,
      port = 2222,
      bridges = ['private0'],
      attach = [],
      args = [],
      user = 'ann',
      env = {},
      through = [],
    } = options
    const directory = mkdtempSync(join(namespace.directory, 'hub-'))
    chmodSync(directory, 0o755)
    this.namespace = namespace
    this.address = address
    this.port = port
    this.user = user
    this.data = join(directory, 'data')
    this.identity = join(directory, user)
    this.#env = env
    this.#through = through
    this.#arguments = [
      'serve',
      '--data',
      this.data,
      '--ssh',
      `${address}:${port}`,
      ...bridges.flatMap((name) => ['--bridge', name]),
      ...attach.flatMap((what) => ['--attach', what]),
      ...args,
    ]
  }

  /** Makes user and key, starts the hub, waits until it accepts connections. */
  static async start(namespace: Namespace, options: HubOptions): Promise<Hub> {
    requireBuild()
    const hub = new Hub(namespace, options)
    await hub.addUser(hub.user, hub.identity)
    await hub.serve()
    return hub
  }

  /** The supervisor. */
  get process(): Running {
    if (!this.#process) throw new Error('the hub was not started')
    return this.#process
  }

  /** Of `hybridge`, as it was started. */
  get arguments(): readonly string[] {
    return this.#arguments
  }

  /** What `hybridge` was started with. */
  get commandLine(): string {
    return ['hybridge', ...this.#arguments].join(' ')
  }

  /** Starts it, again after `stop`. */
  async serve(): Promise<void> {
    const [command, ...words] = [...this.#through, process.execPath] as const
    this.#process = this.namespace.spawn(command, [...words, HUB_COMMAND, ...this.#arguments], {
      env: this.#env,
    })
    await this.#process.line(/^ready ssh=/, { deadlineMs: 15_000 })
  }

  /** `hybridge ARGS --data DIR`. */
  command(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.namespace.run(process.execPath, [HUB_COMMAND, ...args, '--data', this.data], options)
  }

  /** A user with a new key in `identity` and `identity.pub`. */
  async addUser(name: string, identity: string): Promise<void> {
    await this.namespace.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', identity])
    await this.command(['user', 'add', name, '--key', `${identity}.pub`])
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    return this.process.stop(signal)
  }
}
