/**
 * Port kind `tap`: a TAP interface that the port creates, with virtio headers and offloads, so that super-frames of
 * the local kernel pass whole. Linux Documentation/networking/tuntap.rst. The interface goes with the port.
 */
import { reasonOf } from '#net/base/errors.ts'
import {
  DROP_BAD_OFFLOAD,
  DROP_IO,
  DROP_LINK_DOWN,
  DROP_QUEUE_FULL,
  DROP_SHORT,
  DROP_TOO_BIG,
  type PortCounters,
} from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import { isLinkUp, linkIndex, linkMtu, setLinkMtu, setLinkUp } from '#net/port/nic/link.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'
import { MAX_WIRE_FRAME, type FrameSink, type Port } from '#net/port/port.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { putU16le, putU32le } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const ETHERNET = 14
const O_RDWR = 2
const EIO = 5
const EBADFD = 77
const EFAULT = 14
const TUNSETIFF = 0x400454ca
const TUNSETOFFLOAD = 0x400454d0
const TUNSETVNETHDRSZ = 0x400454d8
const IFF_TAP = 0x0002
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const TUN_F_CSUM = 0x01
const TUN_F_TSO4 = 0x02
const TUN_F_TSO6 = 0x04
const TUN_F_TSO_ECN = 0x08
const TUN_F_USO4 = 0x20
const TUN_F_USO6 = 0x40
const TCP_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN

/** Frames read before they are switched together. */
const SLOTS = 16
const HEADROOM = 64
const SLOT = 66_048
const ROUNDS = 4

export interface TapOptions {
  /** Name of the interface to create: `lab0`. */
  readonly interface: string
  /** Default: what frames of 9216 octets need. */
  readonly mtu?: number
  readonly counters: PortCounters
  readonly sink: FrameSink
}

/** @throws SystemError when the interface cannot be made */
export function openTap(options: TapOptions): Port {
  return new TapPort(options)
}

class TapPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames = true
  maxFrame: number
  up = false
  readonly #interface: string
  readonly #sink: FrameSink
  readonly #fd: number
  readonly #watcher: Watcher
  readonly #frames = FrameMemory.native(SLOTS * SLOT)
  readonly #unwatchLinks: () => void
  #staging: FrameMemory | undefined
  #closed = false

  constructor(options: TapOptions) {
    this.name = `tap:${options.interface}`
    this.#interface = options.interface
    this.#sink = options.sink
    this.counters = options.counters
    this.#fd = openTapDevice(options.interface)
    try {
      setLinkMtu(this.#interface, options.mtu ?? MAX_WIRE_FRAME)
      setLinkUp(this.#interface, true)
      this.maxFrame = linkMtu(this.#interface) + ETHERNET
      this.#watcher = new Watcher(this.#fd, () => this.#ready())
      this.#watcher.watch(READABLE)
    } catch (error) {
      libc.close(this.#fd)
      throw error
    }
    this.#unwatchLinks = watchLinks(() => this.#followLink())
    this.#followLink()
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const counters = this.counters
    const from = start - VIRTIO_HEADER_LEN
    const frames = wireFrames(memory.bytes, start, end)
    let address = memory.address + from
    if (memory.address === 0) {
      const staging = (this.#staging ??= FrameMemory.native(SLOT))
      staging.bytes.set(memory.bytes.subarray(from, end), 0)
      address = staging.address
    }
    if (this.up && libc.write(this.#fd, address, end - from) >= 0) {
      counters.outFrames += frames
      counters.outOctets += wireOctets(memory.bytes, start, end)
      return
    }
    const reason = this.up ? dropReason(libc.errno()) : DROP_LINK_DOWN
    counters.dropOut(reason, frames)
  }

  /** Frames are written as they come: a TAP takes one a call. */
  flush(): void {}

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.up = false
    this.#unwatchLinks()
    this.#watcher.close(() => {
      libc.close(this.#fd)
      this.#frames.free()
      this.#staging?.free()
    })
  }

  #ready(): void {
    const counters = this.counters
    const octets = this.#frames.bytes
    for (let round = 0; round < ROUNDS && !this.#closed; round++) {
      let slot = 0
      for (; slot < SLOTS; slot++) {
        const start = slot * SLOT + HEADROOM
        const from = start - VIRTIO_HEADER_LEN
        const count = libc.read(this.#fd, this.#frames.address + from, SLOT - HEADROOM)
        if (count <= 0) break
        const end = from + count
        if (end - start < ETHERNET) {
          counters.dropIn(DROP_SHORT, 1)
          continue
        }
        counters.inFrames += wireFrames(octets, start, end)
        counters.inOctets += wireOctets(octets, start, end)
        this.#sink.frame(this.#frames, start, end)
      }
      if (slot > 0) this.#sink.batchEnd()
      if (slot < SLOTS) return
    }
  }

  #followLink(): void {
    if (this.#closed) return
    let up = false
    let why = 'interface is gone'
    try {
      if (linkIndex(this.#interface) !== 0) {
        up = isLinkUp(this.#interface)
        why = 'interface is down'
        this.maxFrame = linkMtu(this.#interface) + ETHERNET
      }
    } catch (error) {
      why = reasonOf(error)
    }
    if (up === this.up) return
    this.up = up
    this.#sink.portState(up, up ? 'interface is up' : why)
  }
}

function openTapDevice(name: string): number {
  const what = `cannot create the TAP ${name}`
  const remedy = {
    [libc.EPERM]: 'needs CAP_NET_ADMIN; run as root',
    [libc.EACCES]: 'needs access to /dev/net/tun',
    [libc.EINVAL]: 'an interface of this name exists and is not a TAP, or the name is over 15 characters',
    [16]: 'another program uses it',
  }
  const fd = libc.open('/dev/net/tun', O_RDWR | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC)
  if (fd < 0) throw libc.systemError(what, remedy)
  const request = new Uint8Array(40)
  request.set(new TextEncoder().encode(name).subarray(0, 15))
  putU16le(request, 16, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
  const size = new Uint8Array(4)
  putU32le(size, 0, VIRTIO_HEADER_LEN)
  if (libc.ioctl(fd, TUNSETIFF, request) < 0 || libc.ioctl(fd, TUNSETVNETHDRSZ, size) < 0) {
    const error = libc.systemError(what, remedy)
    libc.close(fd)
    throw error
  }
  // Kernels before 6.2 do not know UDP segmentation; the TCP ones are as old as the virtio header.
  if (libc.ioctlValue(fd, TUNSETOFFLOAD, TCP_OFFLOADS | TUN_F_USO4 | TUN_F_USO6) < 0)
    libc.ioctlValue(fd, TUNSETOFFLOAD, TCP_OFFLOADS)
  return fd
}

function dropReason(code: number): number {
  switch (code) {
    case libc.EAGAIN:
    case libc.ENOBUFS:
      return DROP_QUEUE_FULL
    case EIO:
    case EBADFD:
      return DROP_LINK_DOWN
    case libc.EMSGSIZE:
      return DROP_TOO_BIG
    case libc.EINVAL:
    case EFAULT:
      return DROP_BAD_OFFLOAD
    default:
      return DROP_IO
  }
}
