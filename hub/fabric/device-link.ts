/**
 * The fabric's end of a device's DEVICE_TAPS_SOCKET: ports on the descriptors of its interfaces, as long as its process lives.
 * That is hostile once it has been taken over.
 */
import { close, closeSync, constants, openSync } from 'node:fs'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { receiveDescriptors } from '#net/port/descriptors.ts'
import * as libc from '#net/port/libc.ts'
import { MAX_WIRE_FRAME } from '#net/port/port.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { isTapDevice } from '#net/port/tap-device.ts'
import { TapPort } from '#net/port/tap-port.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { DEVICE_TAPS_SOCKET } from '#hub/base/device-paths.ts'
import { LONGEST_TAPS_LINE, parseTapStates, type TapState } from '#hub/base/tap-states.ts'
import type { SwitchPort } from '#net/switch/switch.ts'

/** open(2) */
const O_PATH = 0o10000000
const NEWLINE = 0x0a
const ETHERNET = 14
/** Four, which the MTU does not count. */
const TAGS = 16

/** An interface that is connected to a bridge. */
export interface DevicePort {
  /** `em0` */
  readonly interface: string
  readonly entry: SwitchPort
}

export interface DeviceLinkOptions {
  readonly device: string
  readonly directory: string
  /** In the order of the plan. */
  readonly ports: readonly DevicePort[]
  readonly onPorts: () => void
  /** The connection has ended; `why` is for people. */
  readonly onEnd: (why: string) => void
}

export class DeviceLink {
  readonly #options: DeviceLinkOptions
  readonly #octets = new Uint8Array(LONGEST_TAPS_LINE)
  #filled = 0
  #fd = -1
  #watcher: Watcher | undefined
  /** As `options.ports`; empty: not yet given. */
  #ports: readonly TapPort[] = []
  #isPlugged = false

  constructor(options: DeviceLinkOptions) {
    this.#options = options
  }

  /** To be called now and then: does nothing when there is a connection, or nobody to connect to. */
  connect(): void {
    if (this.#watcher !== undefined) return
    const fd = connectTo(`${this.#options.directory}/${DEVICE_TAPS_SOCKET}`)
    if (fd < 0) return
    this.#fd = fd
    this.#filled = 0
    this.#watcher = new Watcher(fd, () => this.#ready())
    this.#watcher.watch(READABLE)
  }

  close(): void {
    this.#end('the fabric ends')
  }

  #ready(): void {
    if (this.#watcher === undefined) return
    const { count, descriptors, isCut } = receiveDescriptors(this.#fd, this.#octets.subarray(this.#filled))
    if (count === -libc.EAGAIN || count === -libc.EINTR) return
    let rest = descriptors
    try {
      if (count <= 0) throw new ProtocolError('gone', 'its process is gone')
      this.#filled += count
      if (isCut) throw new ProtocolError('too-many', 'not all descriptors could be taken')
      if (rest.length > 0) {
        this.#take(rest)
        rest = []
      }
      this.#readLines()
    } catch (error) {
      // In another thread, as there may be a file system of the device's process behind them.
      for (const fd of rest) close(fd, () => {})
      this.#end(reasonOf(error))
    }
  }

  /** @throws ProtocolError when they are no interfaces: they stay the caller's then */
  #take(descriptors: readonly number[]): void {
    const { device, ports } = this.#options
    if (this.#ports.length > 0 || descriptors.length !== ports.length)
      throw new ProtocolError(
        'malformed',
        `it gave ${descriptors.length} descriptors for ${ports.length} ports`,
      )
    if (!descriptors.every(isTapDevice))
      throw new ProtocolError('malformed', 'it gave a descriptor that is no TAP interface')
    this.#ports = ports.flatMap(({ interface: name, entry }, i) => {
      const fd = descriptors[i]
      if (fd === undefined) return []
      const { counters } = entry
      return new TapPort({ name: `${device}:${name}`, fd, maxFrame: 0, counters, sink: entry })
    })
  }

  #readLines(): void {
    for (;;) {
      const end = this.#octets.subarray(0, this.#filled).indexOf(NEWLINE)
      if (end < 0) break
      this.#setStates(parseTapStates(new TextDecoder().decode(this.#octets.subarray(0, end))))
      this.#octets.copyWithin(0, end + 1, this.#filled)
      this.#filled -= end + 1
    }
    if (this.#filled === this.#octets.length) throw new ProtocolError('too-long', 'it sent an endless line')
  }

  #setStates(states: readonly TapState[]): void {
    const { ports, onPorts } = this.#options
    for (const [i, { interface: name, entry }] of ports.entries()) {
      const port = this.#ports[i]
      const state = states[i]
      if (port === undefined || state?.name !== name)
        throw new ProtocolError('malformed', `it does not tell of ${name}`)
      port.maxFrame = Math.min(state.mtu + ETHERNET + TAGS, MAX_WIRE_FRAME)
      port.setState(state.up, state.up ? 'interface is up' : 'interface is down')
      if (entry.port !== port) entry.connect(port)
    }
    if (!this.#isPlugged) onPorts()
    this.#isPlugged = true
  }

  #end(why: string): void {
    const watcher = this.#watcher
    if (watcher === undefined) return
    const fd = this.#fd
    this.#watcher = undefined
    watcher.close(() => libc.close(fd))
    for (const [i, port] of this.#ports.entries()) {
      this.#options.ports[i]?.entry.disconnect(why)
      port.close()
    }
    this.#ports = []
    this.#isPlugged = false
    this.#options.onEnd(why)
  }
}

/** Connects without following links, which the device's process may put there. @returns below zero: nobody is there */
function connectTo(path: string): number {
  let place: number
  try {
    place = openSync(path, constants.O_NOFOLLOW | O_PATH)
  } catch {
    return -1
  }
  try {
    const fd = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
    if (fd < 0) return -1
    if (libc.connect(fd, unixAddress(`/proc/self/fd/${place}`), SOCKADDR_UN) === 0) return fd
    libc.close(fd)
    return -1
  } finally {
    closeSync(place)
  }
}
