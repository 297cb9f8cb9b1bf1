/**
 * Directories that others than root may put in place of each other while root works in them: they are opened one by one
 * without following links, and used by their descriptors.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { SystemError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'

/** @param path  relative to the data directory @throws SystemError when a part of it is a link */
export function openDirectory(path: string): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  let fd = openSync('.', flags)
  if (path === '.') return fd
  for (const part of path.split('/')) {
    const before = fd
    try {
      fd = openSync(`/proc/self/fd/${before}/${part}`, flags)
    } finally {
      closeSync(before)
    }
  }
  return fd
}

/** @param action  is given a path of the directory that stays the same one */
export function withinDirectory<T>(path: string, action: (directory: string) => T): T {
  const fd = openDirectory(path)
  try {
    return action(`/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

/** Removes whatever has that name. @param directory  as `withinDirectory` gives it @throws SystemError */
export function removeWithin(directory: string, name: string): void {
  try {
    rmSync(`${directory}/${name}`, { force: true })
  } catch {
    // A directory. rm(1) follows no link in it, however fast somebody puts one there.
    const { status, stderr } = spawnSync('rm', ['-rf', '--', name], { cwd: directory, encoding: 'utf8' })
    if (status !== 0) throw new SystemError('EIO', `cannot remove ${name}: ${stderr.trim()}`)
  }
}

/** Removes a file, if it is there. @param path  relative to the data directory @throws SystemError */
export function removeFile(path: string): void {
  try {
    withinDirectory(dirname(path), (directory) => rmSync(`${directory}/${basename(path)}`, { force: true }))
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
