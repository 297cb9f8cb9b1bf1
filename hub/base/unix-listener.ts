/**
 * A unix stream listener whose connections are handed out as descriptors, not as Node sockets, for frames to be read
 * and written on them directly.
 */
import { lstatSync, rmSync, unlinkSync } from 'node:fs'
import { SystemError } from '#net/base/errors.ts'
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'

const BACKLOG = 64
/** Connections taken for one readiness: who makes many must not keep the others on the event loop waiting. */
const ACCEPT_AT_ONCE = 8
/** How long new connections wait when there is no descriptor for them. */
const PAUSE_MS = 100

export interface UnixListener {
  /** Also removes the socket's file. */
  close(): void
}

/** Makes room for a socket: removes one that nobody serves. @throws SystemError when the path is in use */
export function claimUnixPath(path: string): void {
  const file = lstatSync(path, { throwIfNoEntry: false })
  if (!file) return
  if (!file.isSocket())
    throw new SystemError('EEXIST', `cannot serve on ${path}: it exists and is no socket (remove it)`)
  if (isServed(path))
    throw new SystemError(
      'EADDRINUSE',
      `cannot serve on ${path}: another process serves there (stop it, or name another path)`,
    )
  unlinkSync(path)
}

/** Whether somebody listens there, or may: one that may not be asked counts as one who does. */
export function isServed(path: string): boolean {
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) throw libc.systemError(`cannot make a socket for ${path}`)
  const refused =
    libc.connect(fd, unixAddress(path), SOCKADDR_UN) < 0 &&
    (libc.errno() === libc.ECONNREFUSED || libc.errno() === libc.ENOENT)
  libc.close(fd)
  return !refused
}

/**
 * Listens on `path`, which must be free, with the permissions of `mode`.
 * @param onConnection  owns the non-blocking descriptor that it is given
 */
export function listenUnix(path: string, mode: number, onConnection: (fd: number) => void): UnixListener {
  const address = unixAddress(path)
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) throw libc.systemError(`cannot make a socket for ${path}`)
  // Not chmod afterwards: by then the path might be another file's.
  const mask = process.umask(0o777 & ~mode)
  try {
    if (libc.bind(fd, address, SOCKADDR_UN) < 0 || libc.listen(fd, BACKLOG) < 0) {
      const error = libc.systemError(`cannot serve on ${path}`)
      libc.close(fd)
      throw error
    }
  } finally {
    process.umask(mask)
  }
  const watcher = new Watcher(fd, () => {
    for (let i = 0; i < ACCEPT_AT_ONCE; i++) {
      const connection = libc.accept4(fd, null, null, libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC)
      if (connection < 0) {
        const code = libc.errno()
        if (code !== libc.EMFILE && code !== libc.ENFILE) return
        // It stays at the head of the line, and would be told of again at once.
        watcher.watch(0)
        setTimeout(() => watcher.watch(READABLE), PAUSE_MS)
        return
      }
      onConnection(connection)
    }
  })
  watcher.watch(READABLE)
  return {
    close: () => {
      removeFile(path)
      watcher.close(() => libc.close(fd))
    },
  }
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where only root may: the next to serve there finds that nobody does.
  }
}
