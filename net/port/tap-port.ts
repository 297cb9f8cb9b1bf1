/**
 * A port on a descriptor of a TAP with virtio headers, wherever its interface lives: frames pass, super-frames whole. Whether
 * the interface is up, and its MTU, are for the owner to tell.
 */
import {
  DROP_BAD_OFFLOAD,
  DROP_IO,
  DROP_LINK_DOWN,
  DROP_QUEUE_FULL,
  DROP_SHORT,
  DROP_TOO_BIG,
  type PortCounters,
} from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { HEADROOM, SLOT, SLOTS, tapIo } from '#net/port/tap-io.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const ETHERNET = 14
const EIO = 5
const EBADFD = 77
const EFAULT = 14

const ROUNDS = 4

export interface TapPortOptions {
  readonly name: string
  /** Non-blocking; the port owns it from now on. */
  readonly fd: number
  readonly maxFrame: number
  readonly counters: PortCounters
  readonly sink: FrameSink
  readonly onClose?: () => void
}

/** Down until `setState` says otherwise. */
export class TapPort implements Port {
  readonly name: string
  readonly fd: number
  readonly counters: PortCounters
  readonly superFrames = true
  maxFrame: number
  up = false
  readonly #sink: FrameSink
  readonly #onClose: (() => void) | undefined
  readonly #watcher: Watcher
  readonly #io = tapIo()
  #closed = false

  constructor(options: TapPortOptions) {
    this.name = options.name
    this.fd = options.fd
    this.maxFrame = options.maxFrame
    this.counters = options.counters
    this.#sink = options.sink
    this.#onClose = options.onClose
    this.#watcher = new Watcher(this.fd, () => this.#ready())
    this.#watcher.watch(READABLE)
  }

  setState(up: boolean, why: string): void {
    if (up === this.up || this.#closed) return
    this.up = up
    this.#sink.portState(up, why)
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const counters = this.counters
    const frames = wireFrames(memory.bytes, start, end)
    if (this.up && this.#io.write(this.fd, memory, start - VIRTIO_HEADER_LEN, end) >= 0) {
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
    this.#onClose?.()
    this.#watcher.close(() => libc.close(this.fd))
  }

  #ready(): void {
    const counters = this.counters
    const { frames } = this.#io
    const octets = frames.bytes
    for (let round = 0; round < ROUNDS && !this.#closed; round++) {
      let slot = 0
      for (; slot < SLOTS; slot++) {
        const start = slot * SLOT + HEADROOM
        const count = this.#io.read(this.fd, slot)
        if (count <= 0) break
        const end = start - VIRTIO_HEADER_LEN + count
        if (end - start < ETHERNET) {
          counters.dropIn(DROP_SHORT, 1)
          continue
        }
        counters.inFrames += wireFrames(octets, start, end)
        counters.inOctets += wireOctets(octets, start, end)
        this.#sink.frame(frames, start, end)
      }
      if (slot > 0) this.#sink.batchEnd()
      if (slot < SLOTS) return
    }
  }
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
