/**
 * A client's datagram socket: whose it is, and ours that is connected to it. The client says where it is, so that
 * address is not trusted: it must be a socket's file of the very user who asks, and the socket there one that was bound
 * by this name. Nothing of the client's is opened, changed or removed.
 */
import { lstatSync } from 'node:fs'
import { ProtocolError } from '#net/base/errors.ts'
import * as libc from '#net/port/libc.ts'
import { SOCKADDR_UN } from '#net/port/unix-address.ts'
import { pathOf } from '#net/port/vde/handshake.ts'
import { u32le } from '#net/wire/octets.ts'

/**
 * The user that a client counts as: the owner of its socket's file, who must be the user of its process unless that is
 * root's. A socket that has no file is its process's. @throws ProtocolError
 */
export function ownerOf(address: Uint8Array, processUid: number): number {
  const path = pathOf(address)
  if (path === undefined) return processUid
  const file = lstatSync(Buffer.from(path), { throwIfNoEntry: false })
  if (!file?.isSocket())
    throw new ProtocolError('address', 'there is no socket where it says that its own is')
  if (processUid !== 0 && file.uid !== processUid)
    throw new ProtocolError('address', `the socket that it names is user ${file.uid}'s`)
  return file.uid
}

/**
 * A non-blocking datagram socket that is connected to the client's, and takes datagrams from nobody else.
 * @throws ProtocolError when the client's cannot be reached, SystemError when we have none left
 */
export function connectTo(address: Uint8Array): number {
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) throw libc.systemError('cannot make a socket')
  if (libc.connect(fd, address, SOCKADDR_UN) < 0) {
    const why = libc.errnoText(libc.errno())
    libc.close(fd)
    throw new ProtocolError('address', `its socket cannot be reached: ${why}`)
  }
  if (!isPeer(fd, address)) {
    libc.close(fd)
    throw new ProtocolError('address', 'the socket that it names was bound by another name')
  }
  return fd
}

/** Whether the socket at the other end was bound to `address`: a path may have been changed, or lead elsewhere. */
function isPeer(fd: number, address: Uint8Array): boolean {
  const peer = new Uint8Array(SOCKADDR_UN)
  const size = libc.intOctets(SOCKADDR_UN)
  if (libc.getpeername(fd, peer, size) < 0) return false
  // The kernel gives a path with the zero behind it, an abstract name with its own length.
  for (let i = u32le(size, 0); i < SOCKADDR_UN; i++) peer[i] = 0
  return Buffer.from(peer).equals(address)
}
