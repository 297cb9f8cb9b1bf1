/**
 * Where the process of a device is at home: its directory (hub/base/device-paths.ts), and the ids that it runs as. The
 * directories above belong to the service user, who might put links there while root works in them: they are opened one
 * by one without following links, and used by their descriptors.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { closeSync, fchmodSync, fchownSync, lstatSync, mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import { DEVICE_CONFIG, DEVICE_TUN } from '#hub/base/device-paths.ts'
import type { ProcessUsers } from '#hub/base/privilege.ts'
import { writeConfigFile } from '#hub/base/process-config.ts'
import type { ControlGroup } from '#hub/supervisor/control-group.ts'
import { openDirectory, removeWithin, withinDirectory } from '#hub/base/directory.ts'
import { spawnAtGate } from '#hub/supervisor/gate.ts'
import { inOwnNamespaces } from '#hub/supervisor/namespaces.ts'

/** linux/major.h, linux/miscdevice.h */
const TUN_DEVICE = (10 << 8) | 200
const S_IFCHR = 0o020000
/** Everybody may read and write. */
const FOR_ALL = 0o006

export class DeviceHome {
  /** Outside, what is 0 in the device; undefined: as who runs this. */
  readonly firstId: number | undefined
  readonly #path: string
  readonly #group: ControlGroup | undefined

  /**
   * @param path  relative to the data directory
   * @param group  whose limits hold for its processes
   */
  constructor(
    path: string,
    users: ProcessUsers | undefined,
    firstId: number | undefined,
    group: ControlGroup | undefined,
  ) {
    this.#path = path
    this.#group = group
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

  /** Removes files of the device's, or what its process has put in their place. */
  remove(...names: readonly string[]): void {
    this.#within((home) => {
      for (const name of names) removeWithin(home, name)
    })
  }

  /** Ends what is left of its processes, and their limits. */
  async release(): Promise<void> {
    await this.#group?.remove()
  }

  /** Runs a command as the device, once it is let go. @throws SystemError */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const run = inOwnNamespaces(command, this.firstId)
    const env = { ...options.env, PATH: run.path }
    const process = this.#within((cwd) =>
      spawnAtGate([run.command, ...run.arguments], { ...options, env, cwd }),
    )
    try {
      if (process.pid !== undefined) this.#group?.add(process.pid)
    } catch (error) {
      process.kill('SIGKILL')
      throw error
    }
    return process
  }

  #within<T>(action: (home: string) => T): T {
    return withinDirectory(this.#path, action)
  }
}

/** The owner of a device's directory; undefined when there is none yet. */
export function ownerOfHome(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.uid
}

function makeDirectory(path: string, mode: number, owner: { uid: number; gid: number } | undefined): void {
  try {
    withinDirectory(dirname(path), (parent) => mkdirSync(`${parent}/${basename(path)}`, { mode: 0o700 }))
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  const fd = openDirectory(path)
  try {
    fchmodSync(fd, mode)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
  } finally {
    closeSync(fd)
  }
}

/** Where the system's own is root's alone. */
function makeTun(path: string): void {
  const systems = lstatSync('/dev/net/tun', { throwIfNoEntry: false })
  if (systems && (systems.mode & FOR_ALL) === FOR_ALL) return
  if (lstatSync(path, { throwIfNoEntry: false })) return
  // Not chmod afterwards: a device's process that runs could have put a link to another file there by then.
  const mask = process.umask(0)
  const failed = libc.mknod(path, S_IFCHR | 0o666, TUN_DEVICE) < 0
  process.umask(mask)
  if (failed) throw libc.systemError(`cannot make ${path}, the device of TAP interfaces`)
}
