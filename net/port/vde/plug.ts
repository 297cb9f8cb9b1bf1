/**
 * Port kind `vde`: a client of a foreign VDE switch. It stays plugged in: when the switch goes, or refuses, the port is
 * down and tries again every second.
 */
import { chmodSync, statSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf } from '#net/base/errors.ts'
import { DROP_LINK_DOWN, type PortCounters } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { decodeReply, encodeRequest, REPLY_LEN } from '#net/port/vde/handshake.ts'
import { MAX_VDE_FRAME, VdePort } from '#net/port/vde/vde-port.ts'

const RETRY_MS = 1000
/** Some switches leave a client that they refuse without an answer. */
const REPLY_TIMEOUT_MS = 5000

export interface VdePlugOptions {
  /** The switch's, absolute. */
  readonly directory: string
  /** Number of the switch's port, 0: any. */
  readonly port: number
  readonly counters: PortCounters
  readonly sink: FrameSink
  /** What people should know: once for each cause, not for each attempt. */
  readonly onWarning: (text: string) => void
}

/** @throws SystemError when there is no switch, or it may not be used */
export const openVdePlug = (options: VdePlugOptions): Port => new VdePlug(options)

/** Client sockets made so far: their names differ. */
let made = 0

class VdePlug implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames = false
  readonly maxFrame = MAX_VDE_FRAME
  readonly #options: VdePlugOptions
  #ctl: Watcher | undefined
  #ctlFd = -1
  /** Our end, and its file while it has one; the port's when the switch has answered. */
  #dataFd = -1
  #path = ''
  #port: VdePort | undefined
  #timer: NodeJS.Timeout | undefined
  #lastProblem = ''
  #closed = false

  constructor(options: VdePlugOptions) {
    this.name = `vde:${options.directory}`
    this.counters = options.counters
    this.#options = options
    this.#dial()
  }

  get up(): boolean {
    return this.#port !== undefined && this.#port.up
  }

  send(memory: FrameMemory, start: number, end: number): void {
    if (this.#port === undefined) this.counters.dropOut(DROP_LINK_DOWN, 1)
    else this.#port.send(memory, start, end)
  }

  flush(): void {
    if (this.#port !== undefined) this.#port.flush()
  }

  close(): void {
    this.#closed = true
    this.#hangUp()
  }

  /** Connects and asks; the answer comes later. @throws SystemError; nothing is open then */
  #dial(): void {
    const { directory, port } = this.#options
    try {
      this.#ctlFd = connectCtl(directory)
      this.#dataFd = socket(libc.SOCK_DGRAM, directory)
      const address = this.#bind()
      const uid = process.geteuid?.() ?? 0
      const description = `hybridge: user=${uid} pid=${process.pid}`
      const request = encodeRequest({ port, isManagement: false, address, description })
      if (libc.sendBuffer(this.#ctlFd, request, request.length, libc.MSG_NOSIGNAL) !== request.length)
        throw libc.systemError(`cannot ask the VDE switch ${directory}`)
      this.#ctl = new Watcher(this.#ctlFd, () => this.#ready())
      this.#ctl.watch(READABLE)
      this.#timer = setTimeout(() => this.#lost('it does not answer'), REPLY_TIMEOUT_MS)
    } catch (error) {
      this.#hangUp()
      throw error
    }
  }

  /** Our socket's address: beside the switch's own, or where everybody may make one. */
  #bind(): Uint8Array {
    const { directory } = this.#options
    const name = `${String(process.pid).padStart(5, '0')}-${String(made++).padStart(5, '0')}`
    for (const path of [join(directory, `.${name}`), join(tmpdir(), `vde.${name}`)]) {
      const address = unixAddress(path)
      if (libc.bind(this.#dataFd, address, SOCKADDR_UN) < 0) continue
      this.#path = path
      chmodSync(path, modeFor(join(directory, 'ctl')))
      return address
    }
    throw libc.systemError(`cannot make a socket for the VDE switch ${directory}`)
  }

  #ready(): void {
    const octets = new Uint8Array(REPLY_LEN)
    const count = libc.recvBuffer(this.#ctlFd, octets, octets.length, libc.MSG_DONTWAIT)
    if (count < 0 && (libc.errno() === libc.EAGAIN || libc.errno() === libc.EINTR)) return
    if (count <= 0) return this.#lost(this.#port ? 'it hung up' : 'it refuses us')
    if (this.#port) return this.#lost('it said more than its answer')
    try {
      this.#plugIn(decodeReply(octets.subarray(0, count)))
    } catch (error) {
      this.#lost(reasonOf(error))
    }
  }

  /** @throws SystemError */
  #plugIn(address: Uint8Array): void {
    const { directory, sink } = this.#options
    if (libc.connect(this.#dataFd, address, SOCKADDR_UN) < 0)
      throw libc.systemError(`cannot connect to the socket of ${directory}`)
    clearTimeout(this.#timer)
    this.#removePath()
    this.#port = new VdePort({ name: this.name, fd: this.#dataFd, counters: this.counters, sink })
    this.#dataFd = -1
    this.#lastProblem = ''
    sink.portState(true, 'plugged in')
  }

  #lost(why: string): void {
    const wasUp = this.#port !== undefined
    this.#hangUp()
    if (wasUp) this.#options.sink.portState(false, why)
    else this.#warn(`VDE switch ${this.#options.directory}: ${why}`)
    this.#redialLater()
  }

  #redialLater(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      try {
        this.#dial()
      } catch (error) {
        this.#warn(reasonOf(error))
        this.#redialLater()
      }
    }, RETRY_MS)
  }

  #warn(problem: string): void {
    if (problem === this.#lastProblem) return
    this.#lastProblem = problem
    this.#options.onWarning(`${problem}; trying again`)
  }

  #hangUp(): void {
    clearTimeout(this.#timer)
    this.#removePath()
    const fd = this.#ctlFd
    if (this.#ctl) this.#ctl.close(() => libc.close(fd))
    else if (fd >= 0) libc.close(fd)
    this.#ctl = undefined
    this.#ctlFd = -1
    if (this.#dataFd >= 0) libc.close(this.#dataFd)
    this.#dataFd = -1
    this.#port?.close()
    this.#port = undefined
  }

  #removePath(): void {
    if (this.#path === '') return
    try {
      unlinkSync(this.#path)
    } catch {
      // The switch's directory may be gone, and our file with it.
    }
    this.#path = ''
  }
}

/** @throws SystemError */
function socket(type: number, directory: string): number {
  const fd = libc.socket(libc.AF_UNIX, type | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  if (fd < 0) throw libc.systemError(`cannot make a socket for the VDE switch ${directory}`)
  return fd
}

/** @throws SystemError */
function connectCtl(directory: string): number {
  const address = unixAddress(join(directory, 'ctl'))
  const fd = socket(libc.SOCK_STREAM, directory)
  if (libc.connect(fd, address, SOCKADDR_UN) === 0) return fd
  const error = libc.systemError(`cannot plug into the VDE switch ${directory}`, {
    [libc.ENOENT]: 'there is none; start it: vde_switch -s DIR',
    [libc.ENOTDIR]: 'it is no directory',
    [libc.ECONNREFUSED]: 'it has ended; start it: vde_switch -s DIR',
    [libc.EACCES]: "the hub's user may not; start the switch with -m 666, or as that user",
  })
  libc.close(fd)
  throw error
}

/** Our socket must be open to the switch, which runs as the owner of `ctl`. */
function modeFor(ctl: string): number {
  const { uid } = statSync(ctl)
  // Another user is in no group that we know of.
  return uid === 0 || uid === process.geteuid?.() ? 0o600 : 0o666
}
