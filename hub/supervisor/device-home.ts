/**
 * Where the process of a device is at home: its directory (hub/base/device-paths.ts), and the ids that it runs as. The
 * directories above belong to the service user, who might put links there while root works in them: they are opened one
 * by one without following links, and used by their descriptors.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import { DEVICE_CONFIG, DEVICE_TUN } from '#hub/base/device-paths.ts'
import type { ProcessUsers } from '#hub/base/privilege.ts'
import { writeConfigFile } from '#hub/base/process-config.ts'
import { inOwnNamespaces } from '#hub/supervisor/namespaces.ts'

/** linux/major.h, linux/miscdevice.h */
const TUN_DEVICE = (10 << 8) | 200
const S_IFCHR = 0o020000

export class DeviceHome {
  /** Outside, what is 0 in the device; undefined: as who runs this. */
  readonly firstId: number | undefined
  readonly #path: string

  /** @param path  relative to the data directory */
  constructor(path: string, users: ProcessUsers | undefined, firstId: number | undefined) {
    this.#path = path
    this.firstId = users && firstId
    const shared = users && { uid: users.service.uid, gid: users.gateway.gid }
    const steps = path.split('/')
    for (let i = 1; i <= steps.length; i++) {
      const step = steps.slice(0, i).join('/')
      const isHome = i === steps.length
      makeDirectory(step, isHome ? 0o711 : 0o710, isHome ? this.#owner : shared)
    }
    if (users) this.#within((home) => makeTun(`${home}/${DEVICE_TUN}`))
  }

  get #owner(): { uid: number; gid: number } | undefined {
    return this.firstId === undefined ? undefined : { uid: this.firstId, gid: this.firstId }
  }

  /** @returns its fingerprint */
  writeConfig(config: object): string {
    return this.#within((home) => writeConfigFile(`${home}/${DEVICE_CONFIG}`, config, this.#owner))
  }

  /** Removes a file of the device's. */
  remove(name: string): void {
    this.#within((home) => rmSync(`${home}/${name}`, { force: true }))
  }

  /** Runs a command as the device. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const run = inOwnNamespaces(command, this.firstId)
    const env = { ...options.env, PATH: run.path }
    return this.#within((cwd) => spawn(run.command, run.arguments, { ...options, env, cwd }))
  }

  #within<T>(action: (home: string) => T): T {
    const fd = openDirectory(this.#path)
    try {
      return action(`/proc/self/fd/${fd}`)
    } finally {
      closeSync(fd)
    }
  }
}

/** The owner of a device's directory; undefined when there is none yet. */
export function ownerOfHome(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.uid
}

function makeDirectory(path: string, mode: number, owner: { uid: number; gid: number } | undefined): void {
  const parent = openDirectory(dirname(path))
  const name = `/proc/self/fd/${parent}/${path.slice(path.lastIndexOf('/') + 1)}`
  try {
    mkdirSync(name, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  } finally {
    closeSync(parent)
  }
  const fd = openDirectory(path)
  try {
    fchmodSync(fd, mode)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
  } finally {
    closeSync(fd)
  }
}

/** @throws SystemError when a part of the path is a link */
function openDirectory(path: string): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  let fd = openSync('.', flags)
  if (path === '.') return fd
  for (const part of path.split('/')) {
    const next = openSync(`/proc/self/fd/${fd}/${part}`, flags)
    closeSync(fd)
    fd = next
  }
  return fd
}

/** The system's own may be root's alone. */
function makeTun(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return
  if (libc.mknod(path, S_IFCHR | 0o666, TUN_DEVICE) < 0)
    throw libc.systemError(`cannot make ${path}, the device of TAP interfaces`)
  chmodSync(path, 0o666)
}
