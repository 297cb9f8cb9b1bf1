/**
 * Native addons of an executable file. They cannot be loaded from within it: the package installs them where only root
 * may write; where it is not installed, their octets are put into files without names. Such a file is reached through
 * this process only, so that nobody can put other code in its place, and is gone with it.
 */
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs'
import { getAsset } from 'node:sea'
import { reasonOf, SystemError } from '#net/base/errors.ts'

/** The Debian package's; not relative to the executable, which its owner may have put anywhere. */
const INSTALLED = '/usr/lib/hybridge'
/** Directories of the system's that may allow execution; none that the environment names. */
const TEMPORARY = ['/dev/shm', '/tmp', '/var/tmp']
/** Linux, include/uapi/asm-generic/fcntl.h: a file without a name, on all machines that Node runs on. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY

/** @param file  name in the executable and in the package; it tells the content, so that versions are never mixed */
export function loadAddon(file: string): unknown {
  const module = { exports: {} as unknown }
  const installed = `${INSTALLED}/${file}`
  if (existsSync(installed)) process.dlopen(module, installed)
  else loadCopy(module, file)
  return module.exports
}

function loadCopy(module: object, file: string): void {
  const octets = new Uint8Array(getAsset(file))
  const reasons: string[] = []
  for (const directory of TEMPORARY) {
    let fd: number
    try {
      fd = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o700)
    } catch (error) {
      reasons.push(reasonOf(error))
      continue
    }
    try {
      for (let at = 0; at < octets.length;) at += writeSync(fd, octets, at)
      // The descriptor stays open: the dynamic linker takes a second file of this name for the first.
      process.dlopen(module, `/proc/self/fd/${fd}`)
      return
    } catch (error) {
      closeSync(fd)
      reasons.push(`${directory}: ${reasonOf(error)}`)
    }
  }
  throw new SystemError(
    'ENOEXEC',
    `cannot load ${file}: ${reasons.join('; ')} (allow execution in one of ${TEMPORARY.join(', ')}, or install the Debian package)`,
  )
}
