/**
 * Logs of the hub's processes. A child writes JSON lines into its own bounded file, whose descriptors it opens before
 * it drops privileges; the supervisor follows these files (hub/supervisor/log.ts).
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { type DestinationStream, type Logger, pino } from 'pino'
import { withinDirectory } from '#hub/base/directory.ts'

export type { Logger }
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Octets at which a log file is moved into `NAME.log.1`. */
const MAX_LOG = 4 * 1024 * 1024
/** A topology may have many. */
const MAX_DEVICE_LOG = 512 * 1024

/**
 * A file and its predecessor `PATH.1`, each of about `limit` octets at most. Rotation copies through the two open
 * descriptors, so that it needs no right on the directory.
 */
export class BoundedFile implements DestinationStream {
  readonly #current: number
  readonly #old: number
  readonly #limit: number

  constructor(path: string | readonly [current: number, old: number], limit = MAX_LOG) {
    ;[this.#current, this.#old] = typeof path === 'string' ? openFiles(path) : path
    this.#limit = limit
  }

  /** Appends a line; a full disk loses it. */
  write(line: string): void {
    try {
      const { size } = fstatSync(this.#current)
      if (size > 0 && size + Buffer.byteLength(line) > this.#limit) this.#rotate(size)
      writeSync(this.#current, line)
    } catch {
      // There is nobody to tell.
    }
  }

  close(): void {
    closeSync(this.#current)
    closeSync(this.#old)
  }

  #rotate(size: number): void {
    const text = Buffer.alloc(size)
    const length = readSync(this.#current, text, 0, size, 0)
    ftruncateSync(this.#old, 0)
    writeSync(this.#old, text, 0, length, 0)
    ftruncateSync(this.#current, 0)
  }
}

/** Both files of the log of process `name`, log/NAME.log; working directory: the data directory, which is not root's. */
export const openLogFiles = (name: string): [current: number, old: number] =>
  withinDirectory('log', (directory) => openFiles(`${directory}/${name}.log`))

const openFiles = (path: string): [current: number, old: number] => [
  openPrivate(path, constants.O_APPEND),
  openPrivate(`${path}.1`, 0),
]

function openPrivate(path: string, flags: number): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | flags, 0o600)
  fchmodSync(fd, 0o600)
  return fd
}

/** Fields of every line. @param process  its name */
export const logOptions = (process: string, level: string): pino.LoggerOptions => ({
  level,
  base: { process, pid: globalThis.process.pid },
  timestamp: pino.stdTimeFunctions.isoTime,
})

/** The log of a child process, `log/NAME.log` in the data directory, which is the working directory. */
export function openChildLog(name: string, level = process.env['HYBRIDGE_LOG'] ?? 'info'): Logger {
  return pino(logOptions(name, level), new BoundedFile(openLogFiles(name)))
}

/** Where a device's process has the two files of its log: its standard output, and the next that is free. */
const DEVICE_LOG = [1, 3] as const

/** The log of a device's process, which has its files from the supervisor. */
export function openDeviceLog(name: string, level = process.env['HYBRIDGE_LOG'] ?? 'info'): Logger {
  return pino(logOptions(name, level), new BoundedFile(DEVICE_LOG, MAX_DEVICE_LOG))
}
