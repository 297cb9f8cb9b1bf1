/**
 * The world of a host device: processes that see a machine of their own. The device's process stays outside of it: its
 * users neither see nor signal that one. docs/devices.md says what is in it, docs/security.md what keeps it in.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, writeFileSync } from 'node:fs'
import { SystemError, reasonOf } from '#net/base/errors.ts'
import type { Logger } from '#hub/base/log.ts'
import { filterCalls } from '#hub/device/host/call-filter.ts'
import { Disk, openSavedDisk, setDiskAside } from '#hub/device/host/disk.ts'
import { DAMAGED_DISK, enterScript, initScript } from '#hub/device/host/init-script.ts'
import { activityOf, childrenOf, descendantsOf, greediest, memoryOf } from '#hub/device/host/processes.ts'
import { GIVEN, WORLD, makeRoot, removeRoot } from '#hub/device/host/root-directory.ts'
import { notKept } from '#hub/device/host/root-files.ts'
import { keepDescriptors, leaveMachine } from '#hub/device/host/system-calls.ts'

const LIMITS = { processes: 512, openFiles: 4096, sharedMb: 64 }
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const ENVIRONMENT = {
  PATH,
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
  TERM: 'xterm',
  LANG: 'C.UTF-8',
}
const START_TIMEOUT_MS = 10_000
/** How long its processes may take to end when they are asked to. */
const GRACE_MS = 1000
const SAVE_EVERY_MS = 5000
/** The disk is looked at although nothing seems to have run. */
const MOST_IDLE_TIMES = 12
/** A save takes at most this part of the time. */
const SAVE_SHARE = 20
const GUARD_EVERY_MS = 500
const MOST_ERROR_TEXT = 2000

export interface WorldOptions {
  readonly hostname: string
  readonly diskMb: number
  /** Megabytes that its processes may use together, where this is to be watched here; undefined: the kernel does. */
  readonly watchedMemoryMb: number | undefined
  /** Whether there are users besides root. */
  readonly hasUsers: boolean
  /** Descriptor of the terminal that has the login shell. */
  readonly console: number
  /** For sh(1), run at every start: services. */
  readonly boot: string
  /** Text of /etc/resolv.conf. */
  readonly resolver: string
  /** What of the machine is not to be seen, as absolute paths. */
  readonly secrets: readonly string[]
  readonly log: Logger
}

export class World {
  /** Why it ended; pending while it lives. */
  readonly ended: Promise<string>
  readonly #options: WorldOptions
  readonly #disk: Disk
  readonly #process: ChildProcess
  #saveTimer: NodeJS.Timeout | undefined
  #guardTimer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  /** Of its processes, before the disk was looked at last. */
  #activity: string | undefined
  #idleTimes = 0

  /**
   * Makes it and waits until it runs; from then on the calling thread's host name is the device's.
   * @throws SystemError
   */
  static async start(options: WorldOptions): Promise<World> {
    leaveMachine(options.hostname)
    keepDescriptors()
    filterCalls(options.hasUsers)
    const saved = openSavedDisk()
    if (saved === undefined) return launch(options, undefined)
    try {
      return await launch(options, saved)
    } catch (error) {
      if (!(error instanceof DamagedDisk)) throw error
      options.log.error(`${error.message}; it is kept as ${setDiskAside()}, the original one is used`)
    } finally {
      closeSync(saved)
    }
    removeRoot()
    return launch(options, undefined)
  }

  /** Of a world that runs; made by `start`. */
  constructor(options: WorldOptions, disk: Disk, process: ChildProcess, ended: Promise<string>) {
    this.#options = options
    this.#disk = disk
    this.#process = process
    this.ended = ended
    this.#saveLater(SAVE_EVERY_MS)
    const { watchedMemoryMb } = options
    if (watchedMemoryMb !== undefined)
      this.#guardTimer = setInterval(() => this.#guardMemory(watchedMemoryMb * 1024), GUARD_EVERY_MS)
  }

  /** What /etc/resolv.conf says from now on. */
  setResolver(text: string): void {
    writeFileSync(`${GIVEN}/resolv.conf`, text)
  }

  /** Ends its processes and keeps its disk. May be called when it has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#saveTimer)
    clearInterval(this.#guardTimer)
    const init = childrenOf(this.#process.pid ?? 0)[0]
    if (init !== undefined) signal(init, 'SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS)
    await this.ended
    clearTimeout(timer)
    await this.#saving
    await this.#save()
  }

  #saveLater(ms: number): void {
    this.#saveTimer = setTimeout(() => {
      const since = performance.now()
      this.#saving = this.#saveIfActive().then(() => {
        if (this.#saveTimer)
          this.#saveLater(Math.max(SAVE_EVERY_MS, (performance.now() - since) * SAVE_SHARE))
      })
    }, ms)
  }

  async #saveIfActive(): Promise<void> {
    const init = childrenOf(this.#process.pid ?? 0)[0]
    const activity = init === undefined ? undefined : activityOf(descendantsOf(init))
    if (activity !== undefined && activity === this.#activity && ++this.#idleTimes < MOST_IDLE_TIMES) return
    this.#activity = activity
    this.#idleTimes = 0
    await this.#save()
  }

  async #save(): Promise<void> {
    try {
      if (await this.#disk.changed()) await this.#disk.save()
    } catch (error) {
      this.#options.log.error(reasonOf(error))
    }
  }

  #guardMemory(limitKib: number): void {
    const init = childrenOf(this.#process.pid ?? 0)[0]
    if (init === undefined) return
    const guilty = greediest(descendantsOf(init).map(memoryOf), limitKib)
    if (guilty === undefined) return
    this.#options.log.warn(`its processes use more than ${limitKib / 1024} MB: the largest is ended`)
    signal(guilty.pid, 'SIGKILL')
  }
}

class DamagedDisk extends SystemError {}

/** @param saved  descriptor of the disk's archive; undefined: the original disk */
async function launch(options: WorldOptions, saved: number | undefined): Promise<World> {
  const { diskMb, hasUsers, console } = options
  const files = makeRoot({ ...options, original: saved === undefined })
  const exceptions = notKept(files)
  writeFileSync(`${GIVEN}/enter`, enterScript({ ...LIMITS, dataMb: options.watchedMemoryMb }, hasUsers))
  writeFileSync(`${GIVEN}/init`, initScript(exceptions, hasUsers))
  writeFileSync(`${GIVEN}/boot`, options.boot)
  writeFileSync(`${GIVEN}/resolv.conf`, options.resolver)
  const enter = ['sh', `../${GIVEN}/enter`, saved === undefined ? 'original' : 'disk']
  const namespaces = ['unshare', '--mount', '--pid', '--cgroup', '--fork', '--kill-child', '--', ...enter]
  // It ends with this process, however that ends.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...namespaces], {
    stdio: [saved ?? 'ignore', 'pipe', 'pipe', console],
    env: ENVIRONMENT,
    cwd: WORLD,
  })
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(reasonOf(error)))
    child.on('exit', (code, by) => resolve(by === null ? `exit code ${code}` : by))
  })
  await ready(child, ended, saved !== undefined)
  return new World(options, new Disk(WORLD, diskMb, exceptions), child, ended)
}

/** @throws SystemError with what its first process has to say */
async function ready(child: ChildProcess, ended: Promise<string>, hasDisk: boolean): Promise<void> {
  let output = ''
  let errors = ''
  child.stderr?.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(0, MOST_ERROR_TEXT)))
  const up = new Promise<'up'>((resolve) => {
    child.stdout?.on('data', (text: Buffer) => {
      output = (output + text.toString()).slice(0, MOST_ERROR_TEXT)
      if (/^ready$/m.test(output)) resolve('up')
    })
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it is not up after ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS)
  })
  const outcome = await Promise.race([up, ended, late])
  clearTimeout(timer)
  if (outcome === 'up') return
  child.kill('SIGKILL')
  await ended
  const said = errors.trim().split('\n').slice(-1)[0] || outcome
  if (hasDisk && child.exitCode === DAMAGED_DISK) throw new DamagedDisk('EIO', `its disk is damaged: ${said}`)
  throw new SystemError('EIO', `cannot start its first process: ${said}`)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended meanwhile.
  }
}
