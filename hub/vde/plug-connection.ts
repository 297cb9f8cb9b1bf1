/**
 * A client's connection to `ctl`: its request, once and in time, and then silence; the end of either side is the end of
 * the plug.
 */
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { LONGEST_REQUEST, REQUEST_LEN } from '#net/port/vde/handshake.ts'
import { u32le } from '#net/wire/octets.ts'

const REQUEST_TIMEOUT_MS = 5000
/** struct ucred: process, user, group. */
const UCRED = 12
const UCRED_UID = 4

export interface PlugConnectionHandler {
  /** The request, undecoded: at least `REQUEST_LEN` octets unless the client broke off or waited too long. */
  onRequest(connection: PlugConnection, octets: Uint8Array): void
  /** After the request: the client hung up, or said what it may not. */
  onEnd(connection: PlugConnection, why: string): void
}

export class PlugConnection {
  /** Also the number by which people know the endpoint. */
  readonly fd: number
  /** User of the process that connected. */
  readonly uid: number
  readonly #handler: PlugConnectionHandler
  readonly #watcher: Watcher
  readonly #octets = new Uint8Array(LONGEST_REQUEST + 1)
  #filled = 0
  #isRequested = false
  #closed = false
  readonly #timer: NodeJS.Timeout

  /** @param fd  connected and non-blocking; the connection owns it from now on */
  constructor(fd: number, handler: PlugConnectionHandler) {
    this.fd = fd
    this.uid = peerOf(fd)
    this.#handler = handler
    this.#watcher = new Watcher(fd, () => this.#ready())
    this.#watcher.watch(READABLE)
    this.#timer = setTimeout(() => this.#requested(), REQUEST_TIMEOUT_MS)
  }

  /** False when the client does not take it, which has room for one reply at least. */
  reply(octets: Uint8Array): boolean {
    return (
      libc.sendBuffer(this.fd, octets, octets.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL) === octets.length
    )
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#watcher.close(() => libc.close(this.fd))
  }

  #ready(): void {
    if (this.#closed) return
    const room = this.#octets.subarray(this.#filled)
    const count = libc.recvBuffer(this.fd, room, room.length, libc.MSG_DONTWAIT)
    if (count < 0 && (libc.errno() === libc.EAGAIN || libc.errno() === libc.EINTR)) return
    if (this.#isRequested) {
      this.#handler.onEnd(this, count > 0 ? 'it sent more than its request' : 'it hung up')
      return
    }
    this.#filled += Math.max(count, 0)
    // No length says where the description ends: it is what came with the rest.
    if (count <= 0 || this.#filled >= REQUEST_LEN) this.#requested()
  }

  #requested(): void {
    clearTimeout(this.#timer)
    this.#isRequested = true
    const octets = this.#octets.slice(0, this.#filled)
    this.#filled = 0
    this.#handler.onRequest(this, octets)
  }
}

function peerOf(fd: number): number {
  const credentials = new Uint8Array(UCRED)
  const length = libc.intOctets(UCRED)
  return libc.getsockopt(fd, libc.SOL_SOCKET, libc.SO_PEERCRED, credentials, length) < 0
    ? -1
    : u32le(credentials, UCRED_UID)
}
