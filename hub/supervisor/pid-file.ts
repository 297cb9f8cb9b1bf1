/**
 * The process that a supervisor started under a name: run/NAME.pid in the data directory, `PID STARTTIME`. The next
 * supervisor finds it by this, also while it does not answer. The directory is the service user's, and the processes are
 * ended with the supervisor's rights: only files that belong to the supervisor's own user count.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { startTimeOf } from '#net/base/start-time.ts'
import { removeFile, withinDirectory } from '#hub/base/directory.ts'

/** A process, and no later one with its number. */
export interface KnownProcess {
  readonly pid: number
  readonly startTime: string
}

const RUN = 'run'
const fileOf = (name: string): string => `${RUN}/${name}.pid`
const LINE = /^([1-9]\d{0,9}) (\d{1,20})\n$/

export function writePidFile(name: string, { pid, startTime }: KnownProcess): void {
  removePidFile(name)
  withinDirectory(RUN, (run) =>
    writeFileSync(`${run}/${name}.pid`, `${pid} ${startTime}\n`, { flag: 'wx', mode: 0o600 }),
  )
}

export const removePidFile = (name: string): void => removeFile(fileOf(name))

/** Of the process if it runs still. */
export function readPidFile(name: string): KnownProcess | undefined {
  const [, number, startTime] = LINE.exec(textOf(fileOf(name))) ?? []
  const pid = Number(number)
  return startTime !== undefined && startTimeOf(pid) === startTime ? { pid, startTime } : undefined
}

/** Names that begin so and have a file. */
export function pidFilesOf(prefix: string): string[] {
  const files = readdirSync(RUN).filter((file) => file.startsWith(prefix) && file.endsWith('.pid'))
  return files.map((file) => file.slice(0, -'.pid'.length))
}

function textOf(file: string): string {
  let fd: number | undefined
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = fstatSync(fd)
    const isOurs = status.isFile() && status.uid === process.geteuid?.() && status.size < 64
    return isOurs ? readFileSync(fd, 'latin1') : ''
  } catch {
    return ''
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
