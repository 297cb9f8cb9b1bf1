/** Addresses of unix sockets as the kernel takes them: struct sockaddr_un, unix(7). */
import * as libc from '#net/port/libc.ts'
import { SystemError } from '#net/base/errors.ts'
import { putU16le } from '#net/wire/octets.ts'

/** Octets of struct sockaddr_un on Linux. */
export const SOCKADDR_UN = 110
/** Where the path begins in it. */
export const SUN_PATH = 2
/** Octets that a path may have; one more ends it. */
export const LONGEST_UNIX_PATH = SOCKADDR_UN - SUN_PATH - 1

/** The address of a path, padded with zeros to its full size. @throws SystemError ENAMETOOLONG */
export function unixAddress(path: string): Uint8Array {
  const octets = new TextEncoder().encode(path)
  if (octets.length > LONGEST_UNIX_PATH)
    throw new SystemError(
      'ENAMETOOLONG',
      `socket path ${path} has ${octets.length} octets (the system takes ${LONGEST_UNIX_PATH}; use a shorter directory)`,
    )
  const address = new Uint8Array(SOCKADDR_UN)
  putU16le(address, 0, libc.AF_UNIX)
  address.set(octets, SUN_PATH)
  return address
}
