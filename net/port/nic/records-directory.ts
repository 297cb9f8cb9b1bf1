/**
 * The directory of the records of bridged interfaces:
 *
 *    /run/hybridge              0755  root
 *      nic/                     0700  root, or the user that the hub's switches run as: owns the files
 *        NETNS-INDEX.json       0600  one interface of one network namespace
 *
 * All access is under a lock on it, which ends with the process that holds it.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { SystemError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import { linkName } from '#net/port/nic/link.ts'

export const RUN_DIRECTORY = '/run/hybridge'
export const RECORDS = `${RUN_DIRECTORY}/nic`
const LOCK_PATIENCE_MS = 5000
const LOCK_POLL_MS = 10
const FILE = /^(\d+)-(\d+)\.json$/
const WRITABLE_BY_OTHERS = 0o022
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** The file of interface `index` of this network namespace. */
export const recordFile = (index: number): string => join(RECORDS, `${namespaceId()}-${index}.json`)

/** Indexes of the interfaces of this namespace that have a record. */
export function recordedLinks(): number[] {
  const files = statSync(RECORDS, { throwIfNoEntry: false }) ? readdirSync(RECORDS) : []
  return files.flatMap((file) => {
    const [, namespace, index] = FILE.exec(file) ?? []
    return namespace === namespaceId() ? [Number(index)] : []
  })
}

/**
 * Makes the directory, which then belongs to `owner` with all that is in it: a process that will not be root for long
 * can restore then what it changed. @throws Error
 */
export function prepareRecords(owner?: { readonly uid: number; readonly gid: number }): void {
  prepareRunDirectory()
  makeDirectory(RECORDS, 0o700)
  if (owner === undefined) return
  own(RECORDS, O_DIRECTORY, owner)
  for (const file of readdirSync(RECORDS)) own(join(RECORDS, file), 0, owner)
}

/** Makes the directory of all that is about the machine, where only root writes. @throws Error */
export function prepareRunDirectory(): void {
  makeDirectory(RUN_DIRECTORY, 0o755)
  requireTrust(RUN_DIRECTORY)
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

/** Who may write in it could put other directories in the place of ours, any moment. @throws SystemError */
function requireTrust(path: string): void {
  const { uid, mode } = lstatSync(path)
  const isOurs = uid === 0 || uid === process.geteuid?.()
  if (isOurs && (mode & WRITABLE_BY_OTHERS) === 0) return
  const who = isOurs ? 'other users may write in it' : `it belongs to user ${uid}`
  throw new SystemError(
    'ENOTSUP',
    `${path} is not safe, as ${who}; as root: chown root ${path}, chmod 755 ${path}`,
  )
}

/** Changes the owner of what is no link and has no other name, so that nothing outside can be meant. */
function own(path: string, flags: number, owner: { readonly uid: number; readonly gid: number }): void {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | flags)
  try {
    const file = fstatSync(fd)
    if (file.isDirectory() || (file.isFile() && file.nlink === 1)) fchownSync(fd, owner.uid, owner.gid)
  } finally {
    closeSync(fd)
  }
}

/** @returns the descriptor that holds the lock. @throws Error */
export function lockRecords(): number {
  prepareRecords()
  const fd = openSync(RECORDS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  const deadline = performance.now() + LOCK_PATIENCE_MS
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (libc.flock(fd, libc.LOCK_EX | libc.LOCK_NB) !== 0) {
    if (performance.now() > deadline) {
      closeSync(fd)
      throw new SystemError(
        'EAGAIN',
        `another process has had ${RECORDS} locked for ${LOCK_PATIENCE_MS / 1000} s`,
      )
    }
    Atomics.wait(pause, 0, 0, LOCK_POLL_MS)
  }
  return fd
}

/** Removes records of interfaces that are gone, and what a process left that was killed as it wrote. */
export function sweepRecords(): void {
  for (const file of readdirSync(RECORDS)) {
    const [, namespace, index] = FILE.exec(file) ?? []
    const isGone = namespace === namespaceId() && linkName(Number(index)) === ''
    if (!file.startsWith('.') && !isGone) continue
    try {
      // No directories: who owns this one could make links of them meanwhile.
      rmSync(join(RECORDS, file), { force: true })
    } catch {
      // It is nothing that we made, and harms nothing.
    }
  }
}

/** The inode of this process's network namespace. */
function namespaceId(): string {
  return String((namespace ??= statSync('/proc/self/ns/net').ino))
}
let namespace: number | undefined
