/**
 * One process of the hub: started, watched, started again when it ends, adopted when an earlier supervisor left it.
 * Children are detached and hold nothing of the supervisor's, so that its end is not theirs.
 */
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync } from 'node:fs'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { startTimeOf } from '#net/base/start-time.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import { removeFile } from '#hub/base/directory.ts'
import { type Logger, openLogFiles } from '#hub/base/log.ts'
import { writeProcessConfig, type ProcessIdentity } from '#hub/base/process-config.ts'
import type { ProcessUsers } from '#hub/base/privilege.ts'
import { RpcClient, type RpcParams } from '#net/base/rpc.ts'
import { namespaceProblem } from '#hub/supervisor/namespace-problem.ts'
import { letGo, spawnAtGate } from '#hub/supervisor/gate.ts'
import type { DeviceHome } from '#hub/supervisor/device-home.ts'
import { lastWords, logSize } from '#hub/supervisor/last-words.ts'
import { type KnownProcess, readPidFile, removePidFile, writePidFile } from '#hub/supervisor/pid-file.ts'

/** A process that ends again and again is started after 0.2 s, 0.4 s, ... at most this. */
const MAX_DELAY_MS = 10_000
const FIRST_DELAY_MS = 200
/** A process that lived this long has made good. */
const STEADY_MS = 30_000
/** One that is not ready by then is killed, and started again as if it had ended by itself. */
const READY_TIMEOUT_MS = 30_000
const POLL_MS = 20
const WATCH_ADOPTED_MS = 500
/** How long a process that an earlier supervisor left may take to answer: it may be starting. */
const ADOPT_TIMEOUT_MS = 3000
const STATUS_TIMEOUT_MS = 2000
/** Octets of an answer: a process may have been taken over. */
const MAX_STATUS = 256 * 1024
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
  /** How long it may take to end; 3 s by default. */
  readonly patienceMs?: number
  readonly logLevel: string
  readonly log: Logger
  /** It was started, or started again, and is ready. */
  readonly onReady?: () => void
}

/** `failed`: it ended, or never got ready, and is tried again. */
export type ChildState = 'stopped' | 'starting' | 'running' | 'failed'

/** Starts and stops are done in the order in which they are asked for; a stop ends a start that is under way. */
export class Child {
  readonly name: string
  readonly #options: ChildOptions
  #process: ChildProcess | undefined
  #known: KnownProcess | undefined
  /** Starts before the last one are given up. */
  #stops = 0
  #turn: Promise<unknown> = Promise.resolve()
  #startedAt = 0
  /** Octets of the log when the process was started. */
  #logStart = 0
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

  /**
   * Adopts the process if it runs as wanted, else ends what runs and starts it. Resolves when it is ready, or a stop was
   * asked for.
   * @throws when it ends, or does not get ready; it is started again then, until it is stopped
   */
  start(): Promise<{ adopted: boolean }> {
    const stops = this.#stops
    return this.#inTurn(() => this.#start(stops))
  }

  /** Asks the process to end, and ends it when it does not. Resolves when it is gone. */
  stop(patienceMs = this.#options.patienceMs ?? PATIENCE_MS): Promise<void> {
    this.#stops++
    return this.#inTurn(async () => {
      clearTimeout(this.#timer)
      this.#known ??= readPidFile(this.name)
      await this.#end(patienceMs)
      this.#delayMs = FIRST_DELAY_MS
      this.#become('stopped')
    })
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #start(stops: number): Promise<{ adopted: boolean }> {
    const { log } = this.#options
    if (stops !== this.#stops) return { adopted: false }
    clearTimeout(this.#timer)
    this.#become('starting', this.#reason)
    const fingerprint = this.#prepared(stops)
    this.#known ??= readPidFile(this.name)
    if (this.#known) {
      const found = await this.#fingerprintOf(this.#known, stops)
      if (stops !== this.#stops) return { adopted: false }
      if (found === fingerprint) {
        log.info(`${this.name}: goes on, process ${this.#known.pid}`)
        this.#become('running')
        this.#startedAt = performance.now()
        this.#watchAdopted(stops)
        return { adopted: true }
      }
      const why = found === undefined ? 'it does not answer' : 'its configuration changed'
      log.info(`${this.name}: ${why}, it is started again`)
      await this.#end(this.#options.patienceMs ?? PATIENCE_MS)
    }
    if (stops === this.#stops) await this.#run(stops)
    return { adopted: false }
  }

  /** Of the configuration that a process has which an earlier supervisor left; undefined: it does not answer. */
  async #fingerprintOf({ pid }: KnownProcess, stops: number): Promise<string | undefined> {
    const deadline = performance.now() + ADOPT_TIMEOUT_MS
    while (this.#alive() && stops === this.#stops && performance.now() < deadline) {
      const status = await this.status().catch(() => undefined)
      if (status?.pid === pid) return status.fingerprint
      await pause(POLL_MS)
    }
    return undefined
  }

  /** Writes its configuration. @returns its fingerprint @throws SystemError */
  #prepared(stops: number): string {
    const { name, config, users, home } = this.#options
    try {
      return home ? home.writeConfig(config) : writeProcessConfig(name, config, users?.service)
    } catch (error) {
      this.#failed(stops, reasonOf(error))
      throw error
    }
  }

  #become(state: ChildState, reason = ''): void {
    this.#state = state
    this.#reason = reason
  }

  /** Asks the process, or tells it something. @throws when it is not there, or refuses */
  async ask(operation: string, params: RpcParams = {}): Promise<unknown> {
    const client = new RpcClient(this.#options.socket, {
      timeoutMs: STATUS_TIMEOUT_MS,
      maxAnswer: MAX_STATUS,
    })
    try {
      return await client.call(operation, params)
    } finally {
      client.close()
    }
  }

  /** What the process says of itself. @throws when it is not there */
  async status(): Promise<ProcessIdentity & { readonly problems: readonly string[] }> {
    const client = new RpcClient(this.#options.socket, {
      timeoutMs: STATUS_TIMEOUT_MS,
      maxAnswer: MAX_STATUS,
    })
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

  async #end(patienceMs: number): Promise<void> {
    const since = performance.now()
    this.#signal('SIGTERM')
    while (this.#alive()) {
      if (performance.now() - since >= patienceMs) {
        this.#options.log.warn(`${this.name}: does not end, killed`)
        this.#signal('SIGKILL')
        patienceMs = Infinity
      }
      await pause(POLL_MS)
    }
    this.#known = undefined
    this.#process = undefined
    removePidFile(this.name)
    removeFile(this.#options.socket)
    await this.#options.home?.release()
  }

  async #run(stops: number): Promise<void> {
    try {
      this.#spawn(stops)
    } catch (error) {
      this.#failed(stops, reasonOf(error))
    }
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (stops === this.#stops) {
      if (this.#state === 'failed') throw new Error(`${this.name}: ${this.#reason}`)
      // Its socket's file is there when it answers, and much cheaper to look for.
      const isThere = existsSync(this.#options.socket)
      const status = isThere ? await this.status().catch(() => undefined) : undefined
      if (status && status.pid === this.#known?.pid) {
        this.#become('running')
        this.#options.onReady?.()
        return
      }
      // Its end is told as any other's.
      if (performance.now() > deadline) this.#signal('SIGKILL')
      await pause(POLL_MS)
    }
  }

  #spawn(stops: number): void {
    const { name, program, home, logLevel } = this.#options
    this.#become('starting', this.#reason)
    this.#startedAt = performance.now()
    // Whatever the runtime itself has to say goes to the same file as the log, which a device has from here.
    const file = `log/${name}.log`
    const files = openLogFiles(name)
    this.#logStart = logSize(file)
    const env = { ...process.env, HYBRIDGE_LOG: logLevel }
    const stdio = ['pipe' as const, files[0], files[0]]
    const command = [process.execPath, ...program]
    try {
      this.#process = home
        ? home.spawn(command, { detached: true, stdio: [...stdio, files[1]], env })
        : spawnAtGate(command, { detached: true, stdio, env })
    } finally {
      for (const fd of files) closeSync(fd)
    }
    const { pid } = this.#process
    this.#known = pid === undefined ? undefined : { pid, startTime: startTimeOf(pid) ?? '' }
    try {
      if (this.#known) writePidFile(name, this.#known)
    } catch (error) {
      this.#process.kill('SIGKILL')
      throw error
    }
    letGo(this.#process)
    this.#process.once('error', (error) => this.#ended(stops, reasonOf(error)))
    this.#process.once('exit', (code, signal) => this.#ended(stops, signal ?? `exit code ${code}`))
  }

  #watchAdopted(stops: number): void {
    this.#timer = setTimeout(() => {
      if (this.#alive()) this.#watchAdopted(stops)
      else this.#ended(stops, 'it is gone')
    }, WATCH_ADOPTED_MS)
  }

  #ended(stops: number, how: string): void {
    if (stops !== this.#stops) return
    const lived = performance.now() - this.#startedAt
    if (lived > STEADY_MS) this.#delayMs = FIRST_DELAY_MS
    const words = this.#state === 'starting' ? lastWords(`log/${this.name}.log`, this.#logStart) : ''
    const late = this.#state === 'starting' && lived > READY_TIMEOUT_MS
    const why = late
      ? `not ready after ${READY_TIMEOUT_MS / 1000} s`
      : words === ''
        ? how
        : (this.#options.home && namespaceProblem(words)) || `${how}: ${words}`
    this.#failed(stops, `it ended (${why})`)
  }

  /** There is no process of it now. */
  #failed(stops: number, what: string): void {
    this.#known = undefined
    this.#process = undefined
    this.#become('failed', `${what}, started again in ${this.#delayMs / 1000} s`)
    this.#options.log.error(`${this.name}: ${this.#reason}`)
    this.#timer = setTimeout(() => {
      this.#inTurn(() => this.#start(stops)).catch(() => {}) // told already
    }, this.#delayMs)
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS)
  }

  #alive(): boolean {
    if (this.#process) return this.#process.exitCode === null && this.#process.signalCode === null
    return this.#known !== undefined && startTimeOf(this.#known.pid) === this.#known.startTime
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#known || !this.#alive()) return
    try {
      process.kill(this.#known.pid, signal)
    } catch {
      // It ended meanwhile.
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
