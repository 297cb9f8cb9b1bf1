/** One supervisor a data directory: an advisory lock on run/supervisor.lock, held as long as this process lives. */
import { closeSync, constants, openSync } from 'node:fs'
import { SystemError } from '#net/base/errors.ts'
import { LOCK_EX, LOCK_NB, flock } from '#net/port/libc.ts'

/** Working directory: the data directory. @throws SystemError EAGAIN when another supervisor runs */
export function claimSupervision(): void {
  const fd = openSync(
    'run/supervisor.lock',
    constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  )
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return // kept open until the process ends
  closeSync(fd)
  throw new SystemError(
    'EAGAIN',
    `cannot serve ${process.cwd()}: another \`hybridge serve\` runs with this data directory (stop it, or name another with --data)`,
  )
}
