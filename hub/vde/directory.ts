/**
 * The directory by which clients of VDE know a switch: the socket `ctl` that they connect to, a socket `PORT.ID` of ours
 * for each of them, and sockets of theirs. Its mode, its group and the mode of `ctl` say who may plug in.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConfigError, reasonOf, SystemError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { LONGEST_UNIX_PATH } from '#net/port/unix-address.ts'
import { groupNumber } from '#hub/base/account-names.ts'
import { type ProcessUsers, processUsers } from '#hub/base/privilege.ts'
import { claimUnixPath, isServed } from '#hub/base/unix-listener.ts'

export interface VdeConfig {
  /** Absolute. */
  readonly directory: string
  /** Permissions of `ctl`, as vde_switch's -m; default 0600. */
  readonly mode?: number | undefined
  /** Name or number of the group that the directory is given to, as vde_switch's -g. */
  readonly group?: string | undefined
}

const DEFAULT_MODE = 0o600
const SETGID = 0o2000
const STICKY = 0o1000
/** The longest name in it: a client's, of process number and sequence. */
const LONGEST_NAME = '/.4194304-00000'.length
const LONGEST_DIRECTORY = LONGEST_UNIX_PATH - LONGEST_NAME
/** Names that a switch or its clients make. */
const DATA_SOCKET = /^\d{3,}\.\d+$/
const CLIENT_SOCKET = /^\.\d+-\d+$/

export const ctlMode = ({ mode }: VdeConfig): number => mode ?? DEFAULT_MODE

/**
 * As vde_switch has it: who may read or write `ctl` may search the directory. Unlike there, who may write in it may not
 * remove what is another's.
 */
export function directoryMode({ mode }: VdeConfig): number {
  if (mode === undefined) return SETGID | 0o700
  const search = ((mode & 0o222) >> 1) | ((mode & 0o444) >> 2)
  return SETGID | STICKY | mode | search
}

/** @throws ConfigError when names in the directory could not be used as addresses of sockets */
export function checkDirectoryLength(directory: string): void {
  const octets = Buffer.byteLength(directory)
  if (octets > LONGEST_DIRECTORY)
    throw new ConfigError(
      `VDE directory ${directory} has ${octets} octets: addresses of sockets leave room for ${LONGEST_DIRECTORY} (name a shorter one with --vde DIR or vde=DIR)`,
    )
}

/**
 * Makes the directory, or takes one that is empty or was a switch's; gives it to the user that the hub's switches run
 * as. To be called before root's rights are dropped. @returns its path without symbolic links, its group if one was named
 * @throws SystemError, ConfigError that say what to do
 */
export function prepareDirectory(
  config: VdeConfig,
  users: ProcessUsers | undefined = processUsers(),
): { path: string; group: number | undefined } {
  const { directory, group } = config
  const gid = group === undefined ? undefined : groupNumber(group)
  if (group !== undefined && gid === undefined)
    throw new ConfigError(`VDE directory ${directory}: no group ${group} (\`getent group\` lists them)`)
  try {
    makeParents(dirname(directory), users)
    const parent = realpathSync(dirname(directory))
    refuseHostile(parent, users)
    const path = join(parent, basename(directory))
    checkDirectoryLength(path)
    mkdirIfAbsent(path, 0o700)
    settle(path, config, users, gid)
    return { path, group: gid }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new SystemError(errnoOf(error), `cannot use VDE directory ${directory}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/**
 * Removes what a switch left that was killed. @throws SystemError EADDRINUSE when one serves there
 */
export function claimDirectory(path: string): void {
  claimUnixPath(join(path, 'ctl'))
  for (const name of readdirSync(path)) if (DATA_SOCKET.test(name)) removeSocket(join(path, name))
}

/** Removes the directory if nothing is in it, and where that is allowed. */
export function leaveDirectory(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Sockets of clients are theirs to remove, the directory above may be another user's.
  }
}

/** Removes a socket's file; anything else of that name stays. */
export function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path)
  } catch {
    // It is gone.
  }
}

/** Directories above it that are missing: open to all to pass through, the service user's to change. */
export function makeParents(path: string, users: ProcessUsers | undefined): void {
  if (existsSync(path)) return
  makeParents(dirname(path), users)
  mkdirSync(path, { mode: 0o755 }) // not `recursive`, which never ends below /proc
  withDirectory(path, (fd) => {
    if (users) fchownSync(fd, users.service.uid, users.service.gid)
    fchmodSync(fd, 0o755) // whatever the umask
  })
}

/** Another user who may change the directory above could put one of his own in the place of ours. */
function refuseHostile(parent: string, users: ProcessUsers | undefined): void {
  const { uid, mode } = statSync(parent)
  const trusted = [0, process.geteuid?.(), users?.service.uid]
  if (!trusted.includes(uid))
    throw new SystemError('EPERM', `${parent} belongs to user ${uid} (name a directory elsewhere)`)
  if ((mode & 0o002) !== 0 && (mode & STICKY) === 0)
    throw new SystemError('EPERM', `others may write in ${parent} (chmod o-w ${parent}, or +t)`)
}

function mkdirIfAbsent(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

function settle(
  path: string,
  config: VdeConfig,
  users: ProcessUsers | undefined,
  gid: number | undefined,
): void {
  withDirectory(path, (fd) => {
    const { uid } = fstatSync(fd)
    const own = users?.service.uid ?? process.geteuid?.() ?? uid
    if (uid !== own && !(users && uid === 0))
      throw new SystemError('EPERM', `it belongs to user ${uid} (remove it, or name another directory)`)
    // A switch that serves there keeps it as it is: what serves in its place will find the same, and leave it alone.
    if (isServed(join(path, 'ctl'))) return
    const other = readdirSync(path).find((name) => isForeign(path, name, own))
    if (other !== undefined)
      throw new SystemError(
        'ENOTEMPTY',
        `it holds other files, as ${other} (name an empty or a new directory)`,
      )
    const group = gid ?? users?.service.gid
    if (users || group !== undefined) fchownSync(fd, own, group ?? -1)
    fchmodSync(fd, directoryMode(config))
  })
}

/**
 * Whether what is there says that the directory is no switch's. Files of other users do not: whoever may plug in may
 * have left some, and would keep the hub from serving.
 */
function isForeign(path: string, name: string, own: number): boolean {
  if (name === 'ctl' || DATA_SOCKET.test(name) || CLIENT_SOCKET.test(name)) return false
  const file = lstatSync(join(path, name), { throwIfNoEntry: false })
  return file !== undefined && (file.uid === own || file.uid === 0)
}

/** Opens what is a directory and no symbolic link, so that nothing else can be meant. */
function withDirectory(path: string, use: (fd: number) => void): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    use(fd)
  } finally {
    closeSync(fd)
  }
}
