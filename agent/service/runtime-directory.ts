/**
 * Where running agents have their sockets, PID-RANDOM.sock and PID-RANDOM.capture each, for `hconnect status` and `hconnect capture`:
 *
 *    /run/hconnect               0700  of the unit: in $RUNTIME_DIRECTORY (systemd.exec(5))
 *    /run/hybridge/agent         0700  root's
 *    $XDG_RUNTIME_DIR/hybridge   0700  another user's
 */
import { chmodSync, type Dirent, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { SystemError } from '#net/base/errors.ts'
import { claimSocketPath } from '#net/base/rpc.ts'
import { errnoOf } from '#net/base/unknown.ts'

const UNITS = '/run/hconnect'
const ROOTS = '/run/hybridge/agent'
const USERS = '/run/user'
/** Of what `socketName` and `captureSocket` make. */
const NAME = /^\d+-[0-9a-f]+\.(sock|capture)$/
const SUFFIX = '.sock'
/** A directory that holds more is not looked through. */
const MOST_SOCKETS = 256
const OPEN_TO_OTHERS = 0o077

/** This process's own, undefined when the system gives it none. */
export function ownDirectory(env: NodeJS.ProcessEnv, uid = process.geteuid?.()): string | undefined {
  const given = unitDirectory(env)
  if (given !== undefined) return given
  if (uid === 0) return ROOTS
  const xdg = env['XDG_RUNTIME_DIR']
  return xdg?.startsWith('/') ? join(xdg, 'hybridge') : undefined
}

const unitDirectory = (env: NodeJS.ProcessEnv): string | undefined =>
  (env['RUNTIME_DIRECTORY'] ?? '').split(':').find((path) => /^\/.*\/hconnect$/.test(path))

/** Makes it, closed to others. @throws SystemError, Error when it is not to be had or not safe */
export function prepareDirectory(path: string): void {
  // Shared with the records of interfaces, which others must get to.
  if (path === ROOTS) makeDirectory(dirname(ROOTS), 0o755)
  makeDirectory(path, 0o700)
  const { uid, mode } = lstatSync(path)
  if (uid !== process.geteuid?.())
    throw new SystemError('EPERM', `${path} belongs to user ${uid} (remove it, or run as that user)`)
  if ((mode & OPEN_TO_OTHERS) !== 0) chmodSync(path, 0o700)
}

/** Whatever the umask is. One that is there stays as it is. */
function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path)
    chmodSync(path, mode)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

/** Removes what processes left in it that were killed. */
export async function sweepDirectory(path: string): Promise<void> {
  await Promise.all(socketsIn(path).map((name) => claimSocketPath(join(path, name)).catch(() => {}))) // served, else removed
}

/** All sockets that this user may find: root finds those of all users, what runs in a unit that unit's. */
export function agentSockets(env: NodeJS.ProcessEnv, uid = process.geteuid?.()): string[] {
  const own = ownDirectory(env, uid)
  const users = uid === 0 ? entriesOf(USERS).map(({ name }) => join(USERS, name, 'hybridge')) : []
  const all = [UNITS, ROOTS, ...(own === undefined ? [] : [own]), ...users]
  const given = unitDirectory(env)
  return [...new Set(given === undefined ? all : [given])].flatMap((directory) =>
    socketsIn(directory)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => join(directory, name)),
  )
}

/** Where the process gives captures that answers at `path`. */
export const captureSocket = (path: string): string => path.replace(/\.sock$/, '.capture')

export const socketName = (random: string): string => `${process.pid}-${random}${SUFFIX}`

/** No links, and no names but ours: who owns the directory could lead us anywhere, and call a file anything. */
const socketsIn = (directory: string): string[] =>
  entriesOf(directory)
    .filter((entry) => entry.isSocket() && NAME.test(entry.name))
    .map(({ name }) => name)
    .slice(0, MOST_SOCKETS)

function entriesOf(directory: string): Dirent[] {
  try {
    return lstatSync(directory).isDirectory() ? readdirSync(directory, { withFileTypes: true }) : []
  } catch {
    return [] // none there, or not for us
  }
}
