/**
 * Logs of the hub's processes. A child writes JSON lines into its own bounded file, whose descriptors it opens before
 * it drops privileges; the supervisor follows these files and prints for people or machines.
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
import pinoPretty from 'pino-pretty'
import { printable } from '#net/base/printable.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'

export type { Logger }
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Octets at which a log file is moved into `NAME.log.1`. */
const MAX_LOG = 4 * 1024 * 1024

/**
 * A file and its predecessor `PATH.1`, each of about `limit` octets at most. Rotation copies through the two open
 * descriptors, so that it needs no right on the directory.
 */
export class BoundedFile implements DestinationStream {
  readonly #current: number
  readonly #old: number
  readonly #limit: number

  constructor(path: string | readonly [current: number, old: number], limit = MAX_LOG) {
    ;[this.#current, this.#old] = typeof path === 'string' ? openLogFiles(path) : path
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

/** Both files of a log, for a process that may not open them itself. */
export const openLogFiles = (path: string): [current: number, old: number] => [
  openPrivate(path, constants.O_APPEND),
  openPrivate(`${path}.1`, 0),
]

function openPrivate(path: string, flags: number): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | flags, 0o600)
  fchmodSync(fd, 0o600)
  return fd
}

const common = (process: string, level: string): pino.LoggerOptions => ({
  level,
  base: { process, pid: globalThis.process.pid },
  timestamp: pino.stdTimeFunctions.isoTime,
})

/** The log of a child process, `log/NAME.log` in the data directory, which is the working directory. */
export function openChildLog(name: string, level = process.env['HYBRIDGE_LOG'] ?? 'info'): Logger {
  return pino(common(name, level), new BoundedFile(`log/${name}.log`))
}

/** Where a device's process has the two files of its log: its standard output, and the next that is free. */
const DEVICE_LOG = [1, 3] as const

/** The log of a device's process, which has its files from the supervisor. */
export function openDeviceLog(name: string, level = process.env['HYBRIDGE_LOG'] ?? 'info'): Logger {
  return pino(common(name, level), new BoundedFile(DEVICE_LOG))
}

export interface LogSink {
  /** Where to; standard error if absent. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env?: NodeJS.ProcessEnv
}

/** The supervisor's log on standard error: for people on a terminal, JSON lines otherwise. */
export function openSupervisorLog(level: string, sink: LogSink = {}): Logger {
  const stream = sink.stream ?? process.stderr
  const options: pino.LoggerOptions = {
    ...common('supervisor', level),
    base: null,
    // Lines of children are told with their own process and pid.
    mixin: (fields) => ('process' in fields ? {} : { process: 'supervisor', pid: process.pid }),
  }
  if (stream.isTTY !== true) return pino(options, stream)
  const pretty = pinoPretty({
    colorize: !(sink.env ?? process.env)['NO_COLOR'],
    destination: stream,
    ignore: 'pid,process',
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: (line, key) => printable(`${textOr(line['process'], '')}: ${textOr(line[key], '')}`),
  })
  return pino(options, pretty)
}

/** Prints a line of a child's log file as the child's; what is no log line is printed as text. */
export function relayLine(log: Logger, process: string, line: string): void {
  const { level, msg, time: _time, ...rest } = parseLine(line)
  const label = typeof level === 'number' ? pino.levels.labels[level] : undefined
  const known = LOG_LEVELS.find((name) => name === label)
  if (known === undefined) log.warn({ process }, printable(line))
  else log[known]({ ...rest, process }, printable(textOr(msg, '')))
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(line)
    return isRecord(fields) ? fields : {}
  } catch {
    return {}
  }
}
