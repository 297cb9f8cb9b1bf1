/**
 * The records of bridged interfaces, in files, so that they outlive a process that is killed:
 *
 *    /run/hybridge              0755  root
 *      nic/                     0700  root, or the user that the hub's switches run as: owns the files
 *        NETNS-INDEX.json       0600  one interface of one network namespace
 *
 * All access is under a lock on the directory, which ends with the process that holds it. Where the directory cannot be
 * used, the record is kept in memory alone.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { SystemError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import * as libc from '#net/port/libc.ts'
import { linkName } from '#net/port/nic/link.ts'
import { type NicRecord, formatRecord, parseRecord } from '#net/port/nic/record.ts'

export const RECORDS = '/run/hybridge/nic'
const MAX_OCTETS = 65_536
const LOCK_PATIENCE_MS = 5000
const LOCK_POLL_MS = 10
const FILE = /^(\d+)-(\d+)\.json$/
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** The record of one interface, while it is locked. */
export interface RecordSlot {
  read(): NicRecord | undefined
  /** Undefined removes it. */
  write(record: NicRecord | undefined): void
}

/** Takes one line for people. */
export type Warn = (text: string) => void

/**
 * Runs `act` with the record of interface `index` of this network namespace, while no other process can.
 * @param known  what is read when the files cannot be used
 */
export function withRecord(
  index: number,
  known: NicRecord | undefined,
  warn: Warn,
  act: (slot: RecordSlot) => void,
): void {
  let lock
  try {
    lock = lockRecords()
  } catch (error) {
    warnOnce(error, warn)
    return act(memorySlot(known))
  }
  try {
    sweep()
    act(fileSlot(index, warn))
  } finally {
    closeSync(lock)
  }
}

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
  makeDirectory(dirname(RECORDS), 0o755)
  makeDirectory(RECORDS, 0o700)
  if (owner === undefined) return
  own(RECORDS, O_DIRECTORY, owner)
  for (const file of readdirSync(RECORDS)) own(join(RECORDS, file), 0, owner)
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
function lockRecords(): number {
  prepareRecords()
  const fd = openSync(RECORDS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  const deadline = performance.now() + LOCK_PATIENCE_MS
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (libc.flock(fd, libc.LOCK_EX | libc.LOCK_NB) !== 0) {
    if (performance.now() > deadline) {
      closeSync(fd)
      throw new SystemError('EAGAIN', `another process has locked them for ${LOCK_PATIENCE_MS / 1000} s`)
    }
    Atomics.wait(pause, 0, 0, LOCK_POLL_MS)
  }
  return fd
}

/** Removes records of interfaces that are gone, and what a process left that was killed as it wrote. */
function sweep(): void {
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

function fileSlot(index: number, warn: Warn): RecordSlot {
  const path = join(RECORDS, `${namespaceId()}-${index}.json`)
  return {
    read: () => {
      try {
        const record = parseRecord(readPlainFile(path))
        if (record?.index === index) return record
        warn(`${path} is no record of interface ${index}: it is ignored`)
        return undefined
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') warn(`cannot read ${path}, it is ignored: ${reasonOf(error)}`)
        return undefined
      }
    },
    write: (record) => {
      try {
        if (record === undefined) rmSync(path, { force: true })
        else replaceFile(path, formatRecord(record))
      } catch (error) {
        warnOnce(error, warn)
      }
    },
  }
}

function memorySlot(known: NicRecord | undefined): RecordSlot {
  let record = known
  return {
    read: () => record,
    write: (changed) => {
      record = changed
    },
  }
}

function readPlainFile(path: string): string {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const file = fstatSync(fd)
    if (!file.isFile() || file.size > MAX_OCTETS) throw new Error('no plain file of a record')
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** Either the old file or the new one is there, whole, at any moment. It belongs to whom the directory belongs to. */
function replaceFile(path: string, text: string): void {
  const { uid, gid } = statSync(RECORDS)
  const temporary = join(RECORDS, `.${process.pid}.new`)
  rmSync(temporary, { force: true })
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeFileSync(fd, text)
    if (uid !== process.geteuid?.()) fchownSync(fd, uid, gid)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
}

let warned = false
function warnOnce(error: unknown, warn: Warn): void {
  if (warned) return
  warned = true
  warn(
    `cannot keep in ${RECORDS} what interfaces were (${reasonOf(error)}): killed with -9, this process leaves them ` +
      `changed (as root: install -d -m 0700 -o USER ${RECORDS})`,
  )
}

/** The inode of this process's network namespace. */
function namespaceId(): string {
  return String((namespace ??= statSync('/proc/self/ns/net').ino))
}
let namespace: number | undefined
