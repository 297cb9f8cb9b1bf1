/**
 * One process of the hub: started, watched, started again when it ends, adopted when an earlier supervisor left it.
 * Children are detached and hold nothing of the supervisor's, so that its end is not theirs.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, rmSync } from 'node:fs'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { startTimeOf } from '#net/base/start-time.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import { type Logger, openLogFiles } from '#hub/base/log.ts'
import { writeProcessConfig, type ProcessIdentity } from '#hub/base/process-config.ts'
import { type ProcessUsers, userOf } from '#hub/base/privilege.ts'
import { RpcClient, type RpcParams } from '#net/base/rpc.ts'
import type { DeviceHome } from '#hub/supervisor/device-home.ts'

/** A process that ends again and again is started after 0.2 s, 0.4 s, ... at most this. */
const MAX_DELAY_MS = 10_000
const FIRST_DELAY_MS = 200
/** A process that lived this long has made good. */
const STEADY_MS = 30_000
const READY_TIMEOUT_MS = 15_000
const READY_POLL_MS = 20
const WATCH_ADOPTED_MS = 500
/** How long a process may take to end when it is asked to. */
const PATIENCE_MS = 3000

export interface ChildOptions {
  readonly name: string
  /** What `process.execPath` is given to start the program, and the program's arguments. */
  readonly program: readonly string[]
  readonly socket: string
  readonly config: object
  /** Whom the hub's processes run as; undefined: as who runs this one. Configuration is the service's. */
  readonly users: ProcessUsers | undefined
  /** Of a device: where it is at home; its program runs in namespaces of its own. */
  readonly home?: DeviceHome
  readonly logLevel: string
  readonly log: Logger
  /** It was started, or started again, and is ready. */
  readonly onReady?: () => void
}

/** `failed`: it ended, or never got ready, and is tried again. */
export type ChildState = 'stopped' | 'starting' | 'running' | 'failed'

export class Child {
  readonly name: string
  readonly #options: ChildOptions
  #pid = 0
  #startTime = ''
  #process: ChildProcess | undefined
  #stopping = false
  #startedAt = 0
  #delayMs = FIRST_DELAY_MS
  #timer: NodeJS.Timeout | undefined
  #state: ChildState = 'stopped'
  #reason = ''

  constructor(options: ChildOptions) {
    this.name = options.name
    this.#options = options
  }

  get state(): ChildState {
    return this.#state
  }

  /** Why it is not running; empty when it is. */
  get reason(): string {
    return this.#reason
  }

  /** Adopts the process if it runs as wanted, else ends what runs and starts it. Resolves when it is ready. */
  async start(): Promise<{ adopted: boolean }> {
    const { name, log } = this.#options
    this.#stopping = false
    this.#become('starting')
    const running = await this.#find()
    if (this.#stopping) return { adopted: false }
    const fingerprint = this.#writeConfig()
    if (running) {
      if (running.fingerprint === fingerprint) {
        log.info(`${name}: goes on, process ${running.pid}`)
        this.#become('running')
        this.#watchAdopted()
        return { adopted: true }
      }
      log.info(`${name}: its configuration changed, it is started again`)
      await this.#end(PATIENCE_MS)
      if (this.#stopping) return { adopted: false }
    }
    this.#spawn()
    await this.#ready()
    return { adopted: false }
  }

  #writeConfig(): string {
    const { name, config, users, home } = this.#options
    return home ? home.writeConfig(config) : writeProcessConfig(name, config, users?.service)
  }

  #become(state: ChildState, reason = ''): void {
    this.#state = state
    this.#reason = reason
  }

  /** Ends the process that an earlier supervisor left, if there is one. */
  async endLeft(): Promise<void> {
    if (await this.#find()) await this.stop()
  }

  /** The process that an earlier supervisor left, which is ours to watch or to end from now on. */
  async #find(): Promise<ProcessIdentity | undefined> {
    const running = await this.status().catch(() => undefined)
    if (!running || startTimeOf(running.pid) !== running.startTime || !this.#mayBeOurs(running.pid))
      return undefined
    this.#pid = running.pid
    this.#startTime = running.startTime
    return running
  }

  /** A process that was taken over could name another one, to have it ended with the supervisor's rights. */
  #mayBeOurs(pid: number): boolean {
    const { users, home } = this.#options
    const uid = userOf(pid)
    if (users === undefined) return true
    return home ? uid === home.firstId : uid === users.service.uid || uid === users.gateway.uid
  }

  /** Asks the process, or tells it something. @throws when it is not there, or refuses */
  async ask(operation: string, params: RpcParams = {}): Promise<unknown> {
    const client = new RpcClient(this.#options.socket, { timeoutMs: 2000 })
    try {
      return await client.call(operation, params)
    } finally {
      client.close()
    }
  }

  /** What the process says of itself. @throws when it is not there */
  async status(): Promise<ProcessIdentity & { readonly problems: readonly string[] }> {
    const client = new RpcClient(this.#options.socket, { timeoutMs: 2000 })
    try {
      const status = await client.call('status')
      if (!isRecord(status)) throw new ProtocolError('malformed', `${this.name} gives no status`)
      const { pid, startTime, fingerprint, problems } = status
      return {
        pid: Number(pid),
        startTime: textOr(startTime, ''),
        fingerprint: textOr(fingerprint, ''),
        problems: Array.isArray(problems) ? problems.map(String) : [],
      }
    } finally {
      client.close()
    }
  }

  /** Asks the process to end, and ends it when it does not. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    await this.#end(PATIENCE_MS)
    this.#become('stopped')
  }

  async #end(patienceMs: number): Promise<void> {
    const since = performance.now()
    this.#signal('SIGTERM')
    while (this.#alive()) {
      if (performance.now() - since > patienceMs) {
        this.#options.log.warn(`${this.name}: does not end, killed`)
        this.#signal('SIGKILL')
        patienceMs = Infinity
      }
      await pause(READY_POLL_MS)
    }
    rmSync(this.#options.socket, { force: true })
  }

  #spawn(): void {
    const { name, program, home, logLevel, log } = this.#options
    this.#become('starting')
    // Whatever the runtime itself has to say goes to the same file as the log, which a device has from here.
    const files = openLogFiles(`log/${name}.log`)
    const env = { ...process.env, HYBRIDGE_LOG: logLevel }
    const stdio = ['ignore' as const, files[0], files[0]]
    try {
      this.#process = home
        ? home.spawn([process.execPath, ...program], { detached: true, stdio: [...stdio, files[1]], env })
        : spawn(process.execPath, [...program], { detached: true, stdio, env })
    } finally {
      for (const file of files) closeSync(file)
    }
    this.#startedAt = performance.now()
    this.#pid = this.#process.pid ?? 0
    this.#startTime = startTimeOf(this.#pid) ?? ''
    this.#process.on('error', (error) => log.error(`${name}: cannot be started: ${reasonOf(error)}`))
    this.#process.on('exit', (code, signal) => this.#ended(signal ?? `exit code ${code}`))
  }

  #watchAdopted(): void {
    this.#startedAt = performance.now()
    this.#timer = setTimeout(() => {
      if (this.#alive()) this.#watchAdopted()
      else this.#ended('it is gone')
    }, WATCH_ADOPTED_MS)
  }

  #ended(why: string): void {
    this.#pid = 0
    this.#process = undefined
    if (this.#stopping) return
    if (performance.now() - this.#startedAt > STEADY_MS) this.#delayMs = FIRST_DELAY_MS
    this.#options.log.error(`${this.name}: ended (${why}), started again in ${this.#delayMs / 1000} s`)
    this.#become('failed', `it ended (${why})`)
    this.#timer = setTimeout(() => this.#startAgain(), this.#delayMs)
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS)
  }

  #startAgain(): void {
    this.#spawn()
    this.#ready().catch((error: unknown) => this.#options.log.error(reasonOf(error)))
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (performance.now() < deadline) {
      if (this.#stopping) return
      const status = await this.status().catch(() => undefined)
      if (status && status.pid === this.#pid) {
        this.#become('running')
        this.#options.onReady?.()
        return
      }
      await pause(READY_POLL_MS)
    }
    const reason = `${this.name} is not ready after ${READY_TIMEOUT_MS / 1000} s; see log/${this.name}.log`
    this.#become('failed', reason)
    throw new Error(reason)
  }

  #alive(): boolean {
    if (this.#pid === 0) return false
    if (this.#process) return this.#process.exitCode === null && this.#process.signalCode === null
    return startTimeOf(this.#pid) === this.#startTime
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#alive()) return
    try {
      process.kill(this.#pid, signal)
    } catch {
      // It ended meanwhile.
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
