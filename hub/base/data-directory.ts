/**
 * The data directory of a hub:
 *
 *    DATA/                      0710  service user, gateways' group
 *      accounts.db              0600  service user
 *      ssh_host_ed25519_key     0600
 *      run/                     0710  service user, gateways' group: sockets
 *      log/                     0700  whoever started the hub
 *      topologies/              0710  service user, gateways' group: those that run or did, their devices
 *      vde/                     0755  service user: VDE directories of bridges, if asked for
 *
 * All of it belongs to one user when the hub is not started as root.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { SystemError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { type Identity, type ProcessUsers, processUsers } from '#hub/base/privilege.ts'

export const ACCOUNTS_FILE = 'accounts.db'
export const CONTROL_SOCKET = 'run/control.sock'
export const AUTH_SOCKET = 'run/auth.sock'
export const METRICS_SOCKET = 'run/metrics.sock'
/** Where the control process has topologies started and stopped. */
export const SUPERVISOR_SOCKET = 'run/supervisor.sock'

/** What may be there before the accounts are: a directory that holds anything else is somebody else's. */
const EARLY = ['run', 'log', 'topologies', 'vde', 'ssh_host_ed25519_key', 'lost+found']
const ACCOUNTS_FILES = [ACCOUNTS_FILE, `${ACCOUNTS_FILE}-wal`, `${ACCOUNTS_FILE}-shm`]

/** Where every command looks when `--data` is not given. */
export function defaultDataDirectory(env = process.env, uid = process.geteuid?.(), home = homedir()): string {
  if (env['HYBRIDGE_DATA']) return resolve(env['HYBRIDGE_DATA'])
  if (uid === 0) return '/var/lib/hybridge'
  const state = env['XDG_STATE_HOME']
  // Relative paths there are to be ignored (XDG Base Directory Specification).
  return join(state?.startsWith('/') ? state : join(home, '.local/state'), 'hybridge')
}

/** Makes the directory and all in it ready for a hub that starts, owned by the users that its processes run as. */
export function prepareDataDirectory(path: string, users: ProcessUsers | undefined = processUsers()): void {
  attempt('use', path, () => {
    // Directories above it are not ours to close.
    mkdirSync(dirname(path), { recursive: true })
    mkdirSync(path, { recursive: true, mode: 0o710 })
    refuseForeign(path)
    for (const directory of ['run', 'log']) mkdirSync(join(path, directory), { recursive: true, mode: 0o700 })
    const shared = users && { uid: users.service.uid, gid: users.gateway.gid }
    settle(join(path, 'log'), 0o700, users && { uid: 0, gid: 0 })
    settle(join(path, 'run'), 0o710, shared)
    for (const file of ACCOUNTS_FILES) {
      if (existsSync(join(path, file))) settle(join(path, file), 0o600, users?.service)
    }
    settle(path, 0o710, shared)
  })
}

/** Like `prepareDataDirectory` when there is none yet; otherwise only sees that it is one. */
export function openDataDirectory(path: string): void {
  const entries = attempt('read', path, () => (existsSync(path) ? readdirSync(path) : []))
  if (!entries.includes(ACCOUNTS_FILE)) prepareDataDirectory(path)
}

/** For commands that only look. @throws SystemError when no hub has used the directory. */
export function requireDataDirectory(path: string): void {
  const file = attempt('read', path, () => statSync(path, { throwIfNoEntry: false }))
  if (!file) {
    throw new SystemError(
      'ENOENT',
      `no data directory ${path} (make it with \`hybridge serve\` or \`hybridge user add\`, or name another with --data)`,
    )
  }
}

/** Who files that root makes in the directory are to belong to. */
export function ownerOf(path: string): Identity | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = statSync(path)
  return { uid, gid }
}

function refuseForeign(path: string): void {
  const entries = readdirSync(path)
  if (!entries.includes(ACCOUNTS_FILE) && entries.some((entry) => !EARLY.includes(entry))) {
    throw new SystemError('ENOTEMPTY', 'it holds other files (name an empty or a new directory with --data)')
  }
}

/** Sets mode and owner of what is no link and has no other name, so that nothing outside can be meant. */
function settle(path: string, mode: number, owner: Identity | undefined): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const file = fstatSync(fd)
    if (!file.isDirectory() && !(file.isFile() && file.nlink === 1)) {
      throw new SystemError('EPERM', `${path} is neither a directory nor a plain file with one name`)
    }
    if (owner && (file.uid !== owner.uid || file.gid !== owner.gid)) fchownSync(fd, owner.uid, owner.gid)
    if ((file.mode & 0o7777) !== mode) fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const code = errnoOf(error)
    const why =
      code === 'EACCES' || code === 'EPERM'
        ? `${error instanceof SystemError ? reasonOf(error) : 'permission denied'} (run as root or as the hub's user, or name another with --data)`
        : reasonOf(error)
    throw new SystemError(code, `cannot ${verb} data directory ${path}: ${why}`, { cause: error })
  }
}
