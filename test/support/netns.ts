/**
 * A laboratory of network namespaces: machines with names of their own, joined by veth pairs, whose interfaces say
 * nothing by themselves (no IPv6 until an IPv6 address is given, no duplicate address detection, no router
 * solicitations), so that counters can be compared exactly. Needs root.
 *
 * `close` ends every process in the namespaces and removes them; it also runs when the test process ends.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RECORDS } from '#net/port/nic/records-directory.ts'
import { Running, finish, until } from '#test/support/process.ts'
import type { Finished, RunOptions, SpawnOptions } from '#test/support/process.ts'

/** Programs in a namespace see what is here in place of the same file in /etc (ip-netns(8)). */
const NETNS_FILES = '/etc/netns'
const LOG_TAIL = 4_000
const open = new Set<Lab>()
const closeAll = (): void => {
  for (const lab of open) lab.close()
}
let watching = false

/** Once per process: whatever ends it, its laboratories go too. */
function watchEnd(): void {
  if (watching) return
  watching = true
  process.once('exit', closeAll)
  process.once('disconnect', closeAll) // the parent of a test worker is gone
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      closeAll()
      process.kill(process.pid, signal)
    })
  }
}

const command = (name: string, args: readonly string[]): string => {
  try {
    return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new Error(`${name} ${args.join(' ')}: ${said || String(error)}`, { cause: error })
  }
}

export interface LinkOptions {
  /** MAC address of `nicB`, from the start. */
  farAddress?: string
  mtu?: number
  /** False turns checksum and segmentation offloads off at both ends. Default: as the kernel makes a veth, all on. */
  offloads?: boolean
}

/** What `ip -s -d -j link` says of an interface, as far as tests ask. */
export interface LinkState {
  mtu: number
  address: string
  operstate: string
  promiscuity: number
  stats64: Record<'rx' | 'tx', { bytes: number; packets: number; errors: number; dropped: number }>
}

export class Lab {
  /** For keys, data and captures; removed by `close`. Readable by every user, as unprivileged hub processes need. */
  readonly directory = mkdtempSync(join(tmpdir(), 'hybridge-lab-'))
  readonly #prefix = `hy${randomBytes(3).toString('hex')}`
  readonly #namespaces: Namespace[] = []
  readonly #started: Running[] = []

  constructor() {
    chmodSync(this.directory, 0o755)
    open.add(this)
    watchEnd()
  }

  /** A machine; the system knows it as `hyXXXXXX-LABEL`. */
  namespace(label: string): Namespace {
    const namespace = new Namespace(`${this.#prefix}-${label}`, this.directory, this.#started)
    this.#namespaces.push(namespace)
    return namespace
  }

  /** A cable: a veth pair, both ends up. */
  link(a: Namespace, nicA: string, b: Namespace, nicB: string, options: LinkOptions = {}): void {
    const mtu = options.mtu === undefined ? [] : ['mtu', String(options.mtu)]
    const address = options.farAddress === undefined ? [] : ['address', options.farAddress]
    const end = (name: string, at: Namespace): string[] => ['name', name, ...mtu, 'netns', at.name]
    command('ip', ['link', 'add', ...end(nicA, a), 'type', 'veth', 'peer', ...end(nicB, b), ...address])
    for (const [at, nic] of [[a, nicA] as const, [b, nicB] as const]) {
      if (options.offloads === false) at.offloads(nic, 'off')
      at.ip('link', 'set', nic, 'up')
    }
  }

  /** The last lines of every program that was started and of every log file in the directory, to explain a failure. */
  story(): string {
    const files = readdirSync(this.directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.log'),
    )
    const logs = files.map(
      (name) => `--- ${name}\n${readFileSync(join(this.directory, name), 'utf8').slice(-LOG_TAIL)}`,
    )
    const programs = this.#started.map((running) => `--- ${running.title}\n${running.tail()}`)
    return [...programs, ...logs].join('\n')
  }

  /** Ends what runs in the namespaces and in the directory, removes them. May be called twice. */
  close(): void {
    if (!open.delete(this)) return
    const deadline = performance.now() + 5_000
    const pause = new Int32Array(new SharedArrayBuffer(4))
    for (;;) {
      // The supervisor of a hub first, which would start devices again: those have namespaces of their own.
      const pids = [...this.#namespaces.flatMap((namespace) => namespace.pids()), ...pidsIn(this.directory)]
      if (pids.length === 0 || performance.now() > deadline) break
      for (const pid of pids) kill(pid)
      Atomics.wait(pause, 0, 0, 5)
    }
    for (const namespace of this.#namespaces) {
      for (const file of namespace.nicRecords()) rmSync(file, { force: true })
      rmSync(join(NETNS_FILES, namespace.name), { recursive: true, force: true })
      command('ip', ['netns', 'delete', namespace.name])
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended meanwhile
  }
}

export class Namespace {
  readonly name: string
  /** The laboratory's directory. */
  readonly directory: string
  readonly #started: Running[]
  /** Capabilities that programs which start here do without, as setpriv(1) has them: `net_admin`. */
  lacks: readonly string[] = []

  /** Made by `Lab.namespace`; `started` takes every program that starts here. */
  constructor(name: string, directory: string, started: Running[]) {
    this.name = name
    this.directory = directory
    this.#started = started
    command('ip', ['netns', 'add', name])
    this.sysctl({
      'net.ipv6.conf.default.disable_ipv6': 1,
      'net.ipv6.conf.default.accept_dad': 0,
      'net.ipv6.conf.all.accept_dad': 0,
      'net.ipv6.conf.default.accept_ra': 0,
      'net.ipv6.conf.default.router_solicitations': 0,
      'net.ipv6.conf.default.addr_gen_mode': 1,
    })
    this.ip('link', 'set', 'lo', 'up')
  }

  /** Files that tell what interfaces here were, before agents and hubs changed them. */
  nicRecords(): string[] {
    const files = existsSync(RECORDS) ? readdirSync(RECORDS) : []
    return files.filter((file) => file.startsWith(`${this.identity}-`)).map((file) => join(RECORDS, file))
  }

  /** The inode of the namespace. */
  get identity(): number {
    return statSync(`/run/netns/${this.name}`).ino
  }

  /** What this machine's /etc/hosts says: programs that start here later see it, and when it changes. */
  hosts(addresses: Readonly<Record<string, string>>): void {
    const directory = join(NETNS_FILES, this.name)
    mkdirSync(directory, { recursive: true })
    const lines = Object.entries(addresses).map(([name, address]) => `${address} ${name}\n`)
    writeFileSync(join(directory, 'hosts'), lines.join(''))
  }

  /** `ip -n NAMESPACE ...`. */
  ip(...args: string[]): string {
    return command('ip', ['-n', this.name, ...args])
  }

  sysctl(settings: Record<string, string | number>): void {
    const list = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
    this.exec('sysctl', '-qw', ...list)
  }

  /** Gives an interface an address such as `10.0.0.1/24` or `fd00::1/64`, which is usable at once. */
  address(nic: string, address: string): void {
    const six = address.includes(':')
    if (six) this.sysctl({ [`net.ipv6.conf.${nic}.disable_ipv6`]: 0 })
    this.ip('address', 'add', address, 'dev', nic, ...(six ? ['nodad'] : []))
  }

  /** `ethtool -K`: by default every offload that makes super-frames or leaves checksums to the card. */
  offloads(nic: string, state: 'on' | 'off', names: readonly string[] = ['tx', 'tso', 'gso', 'gro']): void {
    this.exec('ethtool', '-K', nic, ...names.flatMap((name) => [name, state]))
  }

  /** A kernel bridge that forwards at once, without STP or multicast snooping. */
  bridge(name: string, members: readonly string[]): void {
    this.ip(
      'link',
      'add',
      name,
      'type',
      'bridge',
      'stp_state',
      '0',
      'forward_delay',
      '0',
      'mcast_snooping',
      '0',
    )
    for (const member of members) this.ip('link', 'set', member, 'master', name)
    this.ip('link', 'set', name, 'up')
  }

  /** A TAP that stays when the program that opens it ends. */
  tap(name: string): void {
    this.ip('tuntap', 'add', 'dev', name, 'mode', 'tap')
    this.ip('link', 'set', name, 'up')
  }

  state(nic: string): LinkState {
    const list: LinkState[] = JSON.parse(this.ip('-s', '-d', '-j', 'link', 'show', 'dev', nic))
    const [state] = list
    if (!state) throw new Error(`no interface ${nic} in ${this.name}`)
    return state
  }

  /** Runs a short program here and waits, blocking. */
  exec(name: string, ...args: string[]): string {
    return command('ip', ['netns', 'exec', this.name, name, ...args])
  }

  /** Starts a program here. */
  spawn(name: string, args: readonly string[] = [], options: SpawnOptions = {}): Running {
    const lacking = this.lacks.map((capability) => `-${capability}`).join(',')
    const lowered = lacking === '' ? [] : ['setpriv', '--bounding-set', lacking, '--inh-caps', lacking]
    const running = new Running('ip', ['netns', 'exec', this.name, ...lowered, name, ...args], options)
    this.#started.push(running)
    return running
  }

  /** Runs a program here to its end. */
  run(name: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
    return finish(this.spawn(name, args, options), options)
  }

  /** Processes whose network is this one. */
  pids(): number[] {
    const identity = `net:[${this.identity}]`
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && linkOf(`/proc/${entry}/ns/net`) === identity)
      .map(Number)
  }

  /** Waits until something here listens on a TCP port. */
  async listening(port: number, deadlineMs = 10_000): Promise<void> {
    const entry = new RegExp(
      `^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F:]+ 0A `,
      'm',
    )
    const table = (): string => this.pids().slice(0, 1).map(socketsOf).join('')
    await until(`${this.name}: TCP port ${port} listening`, () => entry.test(table()), deadlineMs)
  }

  /** Waits for the first answer from an address; for ways that have just been set up. */
  async reaches(address: string, deadlineSeconds = 10): Promise<void> {
    await this.run('ping', ['-c', '1', '-i', '0.05', '-w', String(deadlineSeconds), address])
  }
}

/** Processes that work in a directory. */
function pidsIn(directory: string): number[] {
  const isIn = (pid: string): boolean => linkOf(`/proc/${pid}/cwd`).startsWith(`${directory}/`)
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && isIn(entry))
    .map(Number)
}

/** Where a link of /proc leads. */
export function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // it is gone
  }
}

function socketsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/net/tcp`, 'utf8') + readFileSync(`/proc/${pid}/net/tcp6`, 'utf8')
  } catch {
    return ''
  }
}
