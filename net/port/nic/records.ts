/**
 * The records of bridged interfaces, in files, so that they outlive a process that is killed. Where the directory cannot
 * be used, or a file not be written, the record is kept in memory alone.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { bootId } from '#net/base/boot-id.ts'
import { reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { type NicRecord, formatRecord, mergeUnwritten, parseRecord } from '#net/port/nic/record.ts'
import { RECORDS, lockRecords, recordFile, sweepRecords } from '#net/port/nic/records-directory.ts'

const MAX_OCTETS = 65_536
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** The record of one interface, while it is locked. */
export interface RecordSlot {
  /** Undefined as well when it is of an earlier start of the system. */
  read(): NicRecord | undefined
  /** Undefined removes it. */
  write(record: NicRecord | undefined): void
}

/** Takes one line for people. */
export type Warn = (text: string) => void

/** By index, what could not be written: it is newer than the file. Undefined: the file could not be removed. */
const unwritten = new Map<number, NicRecord | undefined>()

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
    return act(memorySlot(index, known))
  }
  withLock(lock, index, warn, act)
}

/** As `withRecord`, but with the files or not at all. @throws Error */
export function withRecordFile(index: number, warn: Warn, act: (slot: RecordSlot) => void): void {
  withLock(lockRecords(), index, warn, act)
}

function withLock(lock: number, index: number, warn: Warn, act: (slot: RecordSlot) => void): void {
  try {
    sweepRecords()
    act(fileSlot(index, warn))
  } finally {
    closeSync(lock)
  }
}

function fileSlot(index: number, warn: Warn): RecordSlot {
  const path = recordFile(index)
  const readFile = (): NicRecord | undefined => {
    try {
      const record = parseRecord(readPlainFile(path))
      if (record?.index === index) return record.boot === bootId() ? record : undefined
      warn(`${path} is no record of interface ${index}: it is ignored`)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') warn(`cannot read ${path}, it is ignored: ${reasonOf(error)}`)
    }
    return undefined
  }
  return {
    read: () => (unwritten.has(index) ? mergeUnwritten(readFile(), unwritten.get(index)) : readFile()),
    write: (record) => {
      try {
        if (record === undefined) rmSync(path, { force: true })
        else replaceFile(path, formatRecord(record))
        unwritten.delete(index)
      } catch (error) {
        remember(index, record)
        warnOnce(error, warn)
      }
    },
  }
}

function memorySlot(index: number, known: NicRecord | undefined): RecordSlot {
  return {
    read: () => (unwritten.has(index) ? unwritten.get(index) : known),
    write: (record) => remember(index, record),
  }
}

function remember(index: number, record: NicRecord | undefined): void {
  if (record === undefined && !existsSync(recordFile(index))) unwritten.delete(index)
  else unwritten.set(index, record)
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
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

let warned = false
function warnOnce(error: unknown, warn: Warn): void {
  if (warned) return
  warned = true
  const isRefused = ['EACCES', 'EPERM', 'ENOENT'].includes(errnoOf(error))
  warn(
    `cannot keep in ${RECORDS} what interfaces were (${reasonOf(error)}): killed with -9, this process leaves them ` +
      `changed${isRefused ? ` (as root: install -d -m 0700 -o USER ${RECORDS})` : ''}`,
  )
}
