/** A port in memory, for tests and for joining things inside one process: what is sent to it is kept as copies. */
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { type FrameSink, MAX_SUPER_FRAME, MAX_WIRE_FRAME, type Port } from '#net/port/port.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { putHeader, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

export interface MemoryPortOptions {
  readonly name?: string
  readonly superFrames?: boolean
  readonly maxFrame?: number
  readonly up?: boolean
}

/** Fields of the virtio header of an injected frame; 0 when left out. */
export interface InjectedHeader {
  readonly flags?: number
  readonly gsoType?: number
  readonly headerLength?: number
  readonly gsoSize?: number
  readonly checksumStart?: number
  readonly checksumOffset?: number
}

const ROOM = TAG_ROOM + VIRTIO_HEADER_LEN
/** Frames queued between two flushes. */
const MAX_QUEUE = 4096

export class MemoryPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames: boolean
  maxFrame: number
  up: boolean
  /** Octets of each frame that was sent, copied at `flush`. */
  sent: Uint8Array[] = []
  /** The virtio header of each of them. */
  sentHeaders: Uint8Array[] = []
  flushes = 0
  isClosed = false
  private readonly sink: FrameSink
  private readonly memory = new FrameMemory(new Uint8Array(ROOM + MAX_SUPER_FRAME))
  private readonly memories: FrameMemory[] = []
  private readonly places = new Int32Array(2 * MAX_QUEUE)
  private queued = 0

  constructor(counters: PortCounters, sink: FrameSink, options: MemoryPortOptions = {}) {
    this.counters = counters
    this.sink = sink
    this.name = options.name ?? 'memory:'
    this.superFrames = options.superFrames ?? true
    this.maxFrame = options.maxFrame ?? MAX_WIRE_FRAME
    this.up = options.up ?? true
  }

  /** Hands in one frame, as a batch of its own. */
  inject(octets: Uint8Array, header: InjectedHeader = {}): void {
    this.receive(octets, header)
    this.sink.batchEnd()
  }

  /** Hands in frames as one batch; they lie in memories of their own. */
  injectBatch(frames: readonly Uint8Array[], header: InjectedHeader = {}): void {
    for (const octets of frames) {
      this.receive(octets, header, new FrameMemory(new Uint8Array(ROOM + octets.length)))
    }
    this.sink.batchEnd()
  }

  /** What was sent since the last call. */
  take(): Uint8Array[] {
    const taken = this.sent
    this.sent = []
    this.sentHeaders = []
    return taken
  }

  setUp(up: boolean): void {
    this.up = up
    this.sink.portState(up, up ? 'up' : 'down')
  }

  send(memory: FrameMemory, start: number, end: number): void {
    if (this.queued === MAX_QUEUE) this.flush()
    this.memories[this.queued] = memory
    this.places[2 * this.queued] = start
    this.places[2 * this.queued + 1] = end
    this.queued++
  }

  flush(): void {
    this.flushes++
    for (let i = 0; i < this.queued; i++) {
      const b = this.memories[i]?.bytes
      const start = this.places[2 * i] ?? 0
      const end = this.places[2 * i + 1] ?? 0
      if (b === undefined) continue
      this.counters.outFrames += wireFrames(b, start, end)
      this.counters.outOctets += wireOctets(b, start, end)
      this.sent.push(b.slice(start, end))
      this.sentHeaders.push(b.slice(start - VIRTIO_HEADER_LEN, start))
    }
    this.queued = 0
  }

  close(): void {
    this.isClosed = true
    this.up = false
  }

  private receive(octets: Uint8Array, header: InjectedHeader, memory = this.memory): void {
    const b = memory.bytes
    const end = ROOM + octets.length
    b.set(octets, ROOM)
    putHeader(
      b,
      ROOM,
      header.flags ?? 0,
      header.gsoType ?? 0,
      header.headerLength ?? 0,
      header.gsoSize ?? 0,
      header.checksumStart ?? 0,
      header.checksumOffset ?? 0,
    )
    this.counters.inFrames += wireFrames(b, ROOM, end)
    this.counters.inOctets += wireOctets(b, ROOM, end)
    this.sink.frame(memory, ROOM, end)
  }
}
