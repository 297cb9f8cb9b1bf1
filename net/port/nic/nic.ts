/**
 * Port kind `nic`: a network interface in promiscuous mode, through a packet socket that carries super-frames whole.
 * Follows the interface: down, up, without carrier, renamed, deleted, re-created, MTU changed. What it changes it
 * restores at `close`.
 */
import * as libc from '#net/port/libc.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import {
  DROP_BAD_OFFLOAD,
  DROP_IO,
  DROP_KERNEL,
  DROP_LINK_DOWN,
  DROP_QUEUE_FULL,
  DROP_SHORT,
  DROP_TOO_BIG,
  type PortCounters,
} from '#net/port/counters.ts'
import { hasCarrier } from '#net/port/nic/ethtool.ts'
import { isLinkUp, linkIndex, linkMtu, linkName } from '#net/port/nic/link.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'
import { ReceiveBatch, SendBatch } from '#net/port/message-batch.ts'
import { masterOf, masterWarning } from '#net/port/nic/hygiene.ts'
import { EXTRA_TAG, longestFrame } from '#net/port/nic/mtu.ts'
import { NicSettings } from '#net/port/nic/settings.ts'
import {
  attachFilter,
  boundIndex,
  openPacketSocket,
  takeKernelDrops,
  takeSocketError,
} from '#net/port/nic/packet-socket.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { longestWireFrame, wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { float64, u16, u16le, u32le } from '#net/wire/octets.ts'
import { TPID_C_TAG } from '#net/wire/ethernet.ts'
import { insertTag } from '#net/wire/tag.ts'
import { TooLong, tooLongWarning } from '#net/port/nic/too-long.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import { atExit } from '#net/base/at-exit.ts'
import { reasonOf } from '#net/base/errors.ts'

const ETHERNET = 14
/** Offset of the outer tag, or the EtherType. */
const TYPE = 12
/** Receive rounds for one readiness: other ports, sockets and timers get their turn after as many batches. */
const ROUNDS = 8
const STATISTICS_MS = 1000

// struct tpacket_auxdata behind its 16-octet cmsghdr
const AUX_STATUS = 16
const AUX_TCI = 32
const AUX_TPID = 34
const AUX_LENGTH = 36
const STATUS_VLAN_VALID = 0x10
const STATUS_VLAN_TPID_VALID = 0x40
const TPID_DEFAULT = 0x8100

export interface NicOptions {
  /** Interface name: `eth1`. */
  readonly interface: string
  /** MTU to raise the interface to; it is never lowered. Default: what frames of 9216 octets need. */
  readonly mtu?: number | undefined
  /** The machine's own traffic uses it too: its MTU is raised only if `mtu` says so, and it is left up. */
  readonly isUplink?: boolean
  readonly counters: PortCounters
  readonly sink: FrameSink
  /** Takes one line for people: what was changed, what could not be. */
  readonly onWarning?: (text: string) => void
}

/** One read buffer for all network interfaces of the process: a batch is switched before the next is read. */
let receiveBatch: ReceiveBatch | undefined

export interface Nic extends Port {
  /** What the interface is called now, by the kernel: the one that was opened by another name, or was renamed. */
  readonly called: string
  /**
   * Sets the BPF program that decides which frames are received, now and on an interface that is made again.
   * @throws SystemError ENOMEM
   */
  setFilter(program: Uint8Array): void
}

/** @throws SystemError ENODEV, EPERM, with the remedy */
export function openNic(options: NicOptions): Nic {
  return new NicPort(options)
}

class NicPort implements Nic {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames = true
  maxFrame = 0
  up = false
  /** As configured; it may be called something else meanwhile. */
  readonly #interface: string
  readonly #sink: FrameSink
  readonly #warn: (text: string) => void
  readonly #settings: NicSettings
  readonly #batch: ReceiveBatch
  readonly #out = new SendBatch()
  readonly #outFrames = new Float64Array(SendBatch.SLOTS)
  readonly #outOctets = new Float64Array(SendBatch.SLOTS)
  readonly #tooLong = new TooLong()
  readonly #statisticsTimer: NodeJS.Timeout
  #unwatchLinks: () => void = () => {}
  #staging: FrameMemory | undefined
  #filter: Uint8Array | undefined
  #fd = -1
  /** Of the interface that the socket is bound to; 0: none. */
  #index = 0
  /** What it is called now. */
  #called: string
  /** Bridge or bond that it is a port of. */
  #master: string | undefined
  #watcher: Watcher | undefined
  #closed = false
  readonly #forgetAtExit: () => void

  constructor(options: NicOptions) {
    this.name = `nic:${options.interface}`
    this.#interface = options.interface
    this.#called = options.interface
    this.counters = options.counters
    this.#sink = options.sink
    this.#warn = options.onWarning ?? (() => {})
    this.#batch = receiveBatch ??= new ReceiveBatch(VIRTIO_HEADER_LEN)
    this.#settings = new NicSettings(options, this.#warn)
    try {
      this.#open(options.interface)
    } catch (error) {
      this.#out.free()
      throw error
    }
    // Whatever ends the process: an interface is left as it was found.
    this.#forgetAtExit = atExit(() => this.#settings.restore())
    this.#statisticsTimer = setInterval(() => this.#lookAtDrops(), STATISTICS_MS)
    this.#statisticsTimer.unref()
    try {
      this.#unwatchLinks = watchLinks(() => this.#followLink())
      this.#readState()
      if (!this.up) this.#warn(`${this.#called}: ${this.#whyDown()}`)
    } catch (error) {
      this.close() // the interface went away meanwhile
      throw error
    }
  }

  get called(): string {
    return this.#called
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const counters = this.counters
    const frames = wireFrames(memory.bytes, start, end)
    if (!this.up) {
      counters.dropOut(DROP_LINK_DOWN, frames)
      return
    }
    if (end - start > this.maxFrame && !this.#fits(memory.bytes, start, end)) {
      counters.dropTooBig(frames, longestWireFrame(memory.bytes, start, end))
      return
    }
    if (memory.address === 0) {
      this.#sendCopy(memory, start, end)
      return
    }
    const out = this.#out
    if (out.count === SendBatch.SLOTS) this.flush()
    this.#outFrames[out.count] = frames
    this.#outOctets[out.count] = wireOctets(memory.bytes, start, end)
    out.push(memory.address + start - VIRTIO_HEADER_LEN, end - start + VIRTIO_HEADER_LEN)
  }

  flush(): void {
    const out = this.#out
    const counters = this.counters
    const total = out.count
    let i = 0
    while (i < total) {
      const sent = libc.sendmmsg(this.#fd, out.address(i), total - i, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
      if (sent > 0) {
        for (const until = i + sent; i < until; i++) {
          counters.outFrames += float64(this.#outFrames, i)
          counters.outOctets += float64(this.#outOctets, i)
        }
        continue
      }
      // The item at i failed: it alone is lost, unless the whole port takes nothing.
      const code = libc.errno()
      const reason = dropReason(code)
      if (reason === DROP_TOO_BIG) {
        const frames = float64(this.#outFrames, i)
        counters.dropTooBig(frames, Math.ceil(float64(this.#outOctets, i++) / frames))
        continue
      }
      const last = reason === DROP_LINK_DOWN || code === libc.EAGAIN ? total : i + 1
      for (; i < last; i++) counters.dropOut(reason, float64(this.#outFrames, i))
    }
    out.count = 0
  }

  setFilter(program: Uint8Array): void {
    if (this.#fd >= 0) attachFilter(this.#fd, program, this.#called)
    this.#filter = program
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#forgetAtExit()
    this.#unwatchLinks()
    clearInterval(this.#statisticsTimer)
    this.#countKernelDrops()
    this.up = false
    this.#closeSocket(() => {
      this.#out.free()
      this.#staging?.free()
    })
    this.#settings.restore()
  }

  #open(name: string): void {
    const { fd, index } = openPacketSocket(name, this.#filter)
    this.#fd = fd
    this.#index = index
    // It may have been opened by an alternative name.
    this.#called = linkName(index) || name
    this.#master = masterOf(this.#called)
    try {
      this.#settings.apply(index)
      this.#watcher = new Watcher(fd, (_events, failed) => this.#ready(failed))
      this.#watcher.watch(READABLE)
    } catch (error) {
      this.#fd = -1
      this.#index = 0
      libc.close(fd)
      this.#settings.restore()
      throw error
    }
  }

  #closeSocket(done: () => void): void {
    const fd = this.#fd
    this.#fd = -1
    if (!this.#watcher) return done()
    this.#watcher.close(() => {
      libc.close(fd)
      done()
    })
    this.#watcher = undefined
  }

  #ready(failed: boolean): void {
    if (this.#closed) return
    if (failed) {
      this.#countSocketError(takeSocketError(this.#fd))
      this.#watcher?.watch(READABLE)
      this.#followLink()
    }
    for (let round = 0; round < ROUNDS; round++) {
      const received = libc.recvmmsg(
        this.#fd,
        this.#batch.prepare(),
        ReceiveBatch.SLOTS,
        libc.MSG_DONTWAIT,
        null,
      )
      if (received < 0) {
        const code = libc.errno()
        if (code === libc.EAGAIN) return
        this.#countSocketError(code)
        if (code !== libc.EINVAL && code !== libc.EINTR) return
        continue
      }
      for (let i = 0; i < received; i++) this.#receive(i)
      this.#sink.batchEnd()
    }
  }

  #receive(i: number): void {
    const batch = this.#batch
    const counters = this.counters
    const octets = batch.frames.bytes
    let start = batch.frameStart(i)
    const end = start - VIRTIO_HEADER_LEN + batch.length(i)
    if ((batch.flags(i) & libc.MSG_TRUNC) !== 0) {
      counters.dropIn(DROP_TOO_BIG, 1)
      return
    }
    if (end - start < ETHERNET) {
      counters.dropIn(DROP_SHORT, 1)
      return
    }
    if (batch.controlLength(i) >= AUX_LENGTH) {
      const control = batch.controlStart(i)
      const status = u32le(batch.control, control + AUX_STATUS)
      if ((status & STATUS_VLAN_VALID) !== 0) {
        const tpid =
          (status & STATUS_VLAN_TPID_VALID) === 0 ? TPID_DEFAULT : u16le(batch.control, control + AUX_TPID)
        start = insertTag(octets, start, tpid, u16le(batch.control, control + AUX_TCI))
      }
    }
    counters.inFrames += wireFrames(octets, start, end)
    counters.inOctets += wireOctets(octets, start, end)
    this.#sink.frame(batch.frames, start, end)
  }

  /** Of a super-frame, as the kernel looks at the MTU for others only. */
  #fits(octets: Uint8Array, start: number, end: number): boolean {
    const room = u16(octets, start + TYPE) === TPID_C_TAG ? 0 : EXTRA_TAG
    return longestWireFrame(octets, start, end) + room <= this.maxFrame
  }

  /** A frame outside native memory: copied and sent alone. */
  #sendCopy(memory: FrameMemory, start: number, end: number): void {
    this.flush()
    const from = start - VIRTIO_HEADER_LEN
    const staging = (this.#staging ??= FrameMemory.native(ReceiveBatch.SLOT))
    staging.bytes.set(memory.bytes.subarray(from, end), 0)
    this.send(staging, VIRTIO_HEADER_LEN, end - from)
    this.flush()
  }

  #countSocketError(code: number): void {
    // EINVAL: the kernel could not express a super-frame in a virtio header, which costs that frame.
    if (code === libc.EINVAL) this.counters.dropIn(DROP_BAD_OFFLOAD, 1)
  }

  #lookAtDrops(): void {
    this.#countKernelDrops()
    const { counters } = this
    const octets = counters.longestTooBig
    if (octets === 0 || !this.#tooLong.isDue(performance.now())) return
    counters.longestTooBig = 0
    this.#warn(tooLongWarning(this.#called, this.maxFrame - longestFrame(0), octets))
  }

  #countKernelDrops(): void {
    if (this.#fd < 0) return
    const drops = takeKernelDrops(this.#fd)
    this.counters.dropIn(DROP_KERNEL, drops)
  }

  /** Compares the interface with what is known of it, and follows it. */
  #followLink(): void {
    if (this.#closed) return
    try {
      const name = linkName(this.#index)
      if (name === '' || boundIndex(this.#fd) !== this.#index) return this.#replaceLink()
      if (name !== this.#called) this.#warn(`${this.#called} is called ${name} now`)
      this.#called = name
      this.#settings.follow()
      this.#followMaster()
      this.#readState()
    } catch (error) {
      // The interface changed again meanwhile: the next event tells.
      this.#setUp(false, reasonOf(error))
    }
  }

  /** The interface is gone; takes another one of its name if there is one. */
  #replaceLink(): void {
    this.#closeSocket(() => {})
    this.#index = 0
    const name = [this.#interface, this.#called].find((known) => linkIndex(known) !== 0)
    if (name === undefined) return this.#setUp(false, 'interface is gone')
    this.#open(name)
    this.#readState()
  }

  #followMaster(): void {
    const master = masterOf(this.#called)
    if (master !== undefined && master !== this.#master) this.#warn(masterWarning(this.#called, master))
    this.#master = master
  }

  #readState(): void {
    this.maxFrame = longestFrame(linkMtu(this.#called))
    const why = this.#whyDown()
    this.#setUp(why === '', why)
  }

  /** Empty when it is up. */
  #whyDown(): string {
    if (!isLinkUp(this.#called)) return 'interface is down'
    return hasCarrier(this.#called) ? '' : 'no carrier; is the cable plugged in?'
  }

  #setUp(up: boolean, why: string): void {
    if (up === this.up) return
    this.up = up
    this.#sink.portState(up, up ? 'interface is up' : why)
  }
}

function dropReason(code: number): number {
  switch (code) {
    case libc.EAGAIN:
    case libc.ENOBUFS: // the interface's queueing discipline has dropped it
      return DROP_QUEUE_FULL
    case libc.ENETDOWN:
    case libc.ENXIO:
    case libc.ENODEV:
      return DROP_LINK_DOWN
    case libc.EMSGSIZE:
      return DROP_TOO_BIG
    case libc.EINVAL:
      return DROP_BAD_OFFLOAD
    default:
      return DROP_IO
  }
}
