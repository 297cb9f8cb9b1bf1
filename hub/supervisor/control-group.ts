/**
 * What the processes of a device may use together: a control group, cgroups(7), of version 2 or 1. Only root's hub has
 * them; elsewhere the device's own process watches over memory (hub/device/host/world.ts).
 */
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { SystemError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'

export interface GroupLimits {
  readonly memoryMb: number
  readonly processes: number
}

/** Files and what is written to them, in each directory of a group. */
type Settings = readonly { readonly directory: string; readonly values: readonly [string, string][] }[]

const ROOT = '/sys/fs/cgroup'
const CONTROLLERS = ['memory', 'pids', 'cpu']
/** Against 100 of other groups, as version 2 has it, and 1024 in version 1. */
const WEIGHT = 20
const SHARES = 205
/** Memory that a group may have is not to be had again as swap. */
const SWAP = /\.(?:swap|memsw)\./
const REMOVE_TIMEOUT_MS = 2000
const REMOVE_POLL_MS = 10

/** The group of a hub's groups, so that two hubs of one machine are apart. */
export const groupOfHub = (dataDirectory: string): string =>
  `hybridge-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 8)}`

/** Whether groups can be made here. */
export function hasControlGroups(): boolean {
  try {
    if (isUnified()) enableControllers(ROOT)
    else for (const name of CONTROLLERS) accessSync(`${ROOT}/${name}`, constants.W_OK)
    return true
  } catch {
    return false
  }
}

export class ControlGroup {
  readonly #settings: Settings

  /** @param name  without slashes */
  constructor(name: string, limits: GroupLimits) {
    this.#settings = settingsOf(`/${name}`, limits)
  }

  /** Makes it if need be, and takes a process in, with all that it starts from now on. @throws SystemError */
  add(pid: number): void {
    try {
      for (const { directory, values } of this.#settings) {
        mkdirSync(directory, { recursive: true })
        if (isUnified()) enableControllers(dirname(directory))
        for (const [file, value] of values) write(`${directory}/${file}`, value)
        writeFileSync(`${directory}/cgroup.procs`, String(pid))
      }
    } catch (error) {
      if (errnoOf(error) === 'ESRCH') return // it ended
      throw new SystemError(errnoOf(error), `cannot limit a device's processes: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  }

  /** Ends what is left in it, and removes it. */
  async remove(): Promise<void> {
    const deadline = performance.now() + REMOVE_TIMEOUT_MS
    for (const { directory } of this.#settings) {
      while (!isGone(directory) && performance.now() < deadline) {
        endProcesses(directory)
        await new Promise((resolve) => setTimeout(resolve, REMOVE_POLL_MS))
      }
      isGone(dirname(directory))
    }
  }
}

const isUnified = (): boolean => existsSync(`${ROOT}/cgroup.controllers`)

function settingsOf(path: string, { memoryMb, processes }: GroupLimits): Settings {
  const memory = String(memoryMb * 1024 * 1024)
  const group = `${groupOfHub(process.cwd())}${path}`
  if (isUnified())
    return [
      {
        directory: `${ROOT}/${group}`,
        values: [
          ['memory.max', memory],
          ['memory.swap.max', '0'],
          ['pids.max', String(processes)],
          ['cpu.weight', String(WEIGHT)],
        ],
      },
    ]
  return [
    {
      directory: `${ROOT}/memory/${group}`,
      values: [
        ['memory.limit_in_bytes', memory],
        ['memory.memsw.limit_in_bytes', memory],
      ],
    },
    { directory: `${ROOT}/pids/${group}`, values: [['pids.max', String(processes)]] },
    { directory: `${ROOT}/cpu/${group}`, values: [['cpu.shares', String(SHARES)]] },
  ]
}

function write(file: string, value: string): void {
  // Where the kernel does not count swap, there is none to limit.
  if (SWAP.test(file) && !existsSync(file)) return
  writeFileSync(file, value)
}

/** Removes what nothing is left in. */
function isGone(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    return errnoOf(error) === 'ENOENT'
  }
}

function endProcesses(directory: string): void {
  for (const pid of readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n')) {
    try {
      if (pid !== '') process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }
}

function enableControllers(directory: string): void {
  const enabled = readFileSync(`${directory}/cgroup.subtree_control`, 'utf8').split(/\s+/)
  const missing = CONTROLLERS.filter((name) => !enabled.includes(name))
  if (missing.length > 0)
    writeFileSync(`${directory}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(' '))
}
