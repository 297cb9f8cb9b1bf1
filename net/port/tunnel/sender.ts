/**
 * The sending end of a tunnel: frames in, records out to a byte stream, with little of them under way (`Pace`).
 *
 * On a fast path frames wait in one bounded queue and leave in large pieces. Else the stream is given little at a time,
 * and what cannot go yet waits in an FQ-CoDel queue, where flows share the path and a frame of a quiet flow goes first;
 * super-frames that would hold the path for long are cut before.
 */
import { DROP_BAD_OFFLOAD, DROP_LINK_DOWN, DROP_QUEUE_FULL, DROP_TOO_BIG } from '#net/port/counters.ts'
import { Finisher, MIN_SCRATCH } from '#net/port/finish.ts'
import { copyFrame, FrameMemory } from '#net/port/frame-memory.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { FairQueue } from '#net/queue/fair-queue.ts'
import { MAX_FRAME_PAYLOAD, putRecordHeader, RECORD_FRAME, RECORD_HEADER_LEN } from '#net/tunnel/framing.ts'
import type { Pace } from '#net/tunnel/pace.ts'
import { int32, u24 } from '#net/wire/octets.ts'
import { GSO_NONE, gsoType, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** Octets that wait on a fast path while the stream takes nothing; frames beyond are lost and counted. */
const QUEUE_OCTETS = 1 << 20
/** Room for the queue and a longest record beyond what was written from its front. */
const BUFFER_OCTETS = 2 * QUEUE_OCTETS
/**
 * Written at once, without waiting for the end of the turn, and in pieces of this size: the far side works on one while
 * the next is encrypted. Measured with bulk TCP: pieces of 1 MiB leave both ends idle in turn.
 */
const WRITE_OCTETS = 64 << 10
/** Memory of the queue of a slow path: three quarters of it hold frames. Used as far as `Pace` lets frames wait. */
const FAIR_QUEUE_OCTETS = 4 << 20
const HEADERS = RECORD_HEADER_LEN + VIRTIO_HEADER_LEN

/** Where the records go. */
export interface TunnelStream {
  readonly pace: Pace
  /** Takes `octets`. @returns true: they are copied or sent, the buffer is free again; false: it is kept until `drained` */
  write(octets: Buffer): boolean
  /** Nothing more is to be written before `TunnelSender.drained` is called. */
  readonly isFull: boolean
  /** Calls back, now or later, when nothing is kept any more: it is sent, or never will be. */
  whenReleased(then: () => void): void
}

/** What becomes of frames, in wire frames and their octets. */
export interface SendAccount {
  /** Negative: frames that were sent before they were lost. */
  sent(frames: number, octets: number): void
  /** @param reason  DROP_* */
  lost(reason: number, frames: number, octets: number): void
}

/** Of all senders of the process: cut frames are queued, by copying, before the next frame is cut. */
let finisher: Finisher | undefined

export class TunnelSender {
  readonly #account: SendAccount
  readonly #seed: number
  #stream: TunnelStream | undefined
  #memory = FrameMemory.native(BUFFER_OCTETS)
  #out = Buffer.from(this.#memory.bytes.buffer, this.#memory.bytes.byteOffset, BUFFER_OCTETS)
  /** What waits is `out[head, tail)`, whole records. */
  #head = 0
  #tail = 0
  /** Buffers that the stream has kept. */
  readonly #lent: FrameMemory[] = []
  #queue: FairQueue | undefined
  /** Time of the frames that are queued now, whole ms, as a number with a fraction costs an allocation; -1 between batches. */
  #now = -1

  /** @param seed  of the flows' hash */
  constructor(account: SendAccount, seed: number) {
    this.#account = account
    this.#seed = seed
  }

  get isConnected(): boolean {
    return this.#stream !== undefined
  }

  /** Nothing waits here. */
  get isEmpty(): boolean {
    return this.#head === this.#tail && (this.#queue === undefined || this.#queue.isEmpty)
  }

  connect(stream: TunnelStream): void {
    this.#stream = stream
  }

  /** The stream is gone, and the frames that waited with it. */
  disconnect(): void {
    const stream = this.#stream
    this.#stream = undefined
    this.#now = -1
    this.#dropWaiting()
    this.#queue?.clear(DROP_LINK_DOWN)
    // Given back at once, it would be sent with what others put there.
    const lent = this.#lent.splice(0)
    stream?.whenReleased(() => freeAll(lent))
  }

  /** Takes a copy of the frame. What is taken leaves with `write`, or before. */
  send(memory: FrameMemory, start: number, end: number): void {
    const stream = this.#stream
    if (!stream) return this.#drop(DROP_LINK_DOWN, memory, start, end)
    if (end - start + VIRTIO_HEADER_LEN > MAX_FRAME_PAYLOAD)
      return this.#drop(DROP_TOO_BIG, memory, start, end)
    const { pace } = stream
    const waits = this.#tail - this.#head
    const size = end - start + HEADERS
    const isQueued = this.#queue !== undefined && !this.#queue.isEmpty
    if (pace.isFast && !isQueued) {
      if (waits + size > QUEUE_OCTETS) return this.#drop(DROP_QUEUE_FULL, memory, start, end)
      this.#append(memory, start, end)
      if (waits + size >= WRITE_OCTETS) this.write()
    } else if (
      !isQueued &&
      end - start <= pace.longest &&
      !stream.isFull &&
      (waits === 0 || waits + size <= pace.piece)
    )
      this.#append(memory, start, end)
    else this.#enqueue(pace, memory, start, end)
  }

  /** Writes what the stream takes. To be called after a batch of frames. */
  write(): void {
    const stream = this.#stream
    const queue = this.#queue
    if (!stream) return
    while (!stream.isFull) {
      if (this.#head === this.#tail && queue && !queue.isEmpty) this.#fill(queue, stream.pace)
      if (this.#head === this.#tail) break
      this.#writePiece(stream)
    }
    this.#now = -1
    if (this.#head === this.#tail) this.#head = this.#tail = 0
  }

  /** The stream takes octets again, and keeps none of those that it was given. */
  drained(): void {
    freeAll(this.#lent.splice(0))
    this.write()
  }

  free(): void {
    this.disconnect()
    this.#memory.free()
    this.#queue?.free()
  }

  #drop(reason: number, memory: FrameMemory, start: number, end: number): void {
    const { bytes } = memory
    this.#account.lost(reason, wireFrames(bytes, start, end), wireOctets(bytes, start, end))
  }

  #enqueue(pace: Pace, memory: FrameMemory, start: number, end: number): void {
    const queue = (this.#queue ??= this.#makeQueue())
    if (this.#now < 0) {
      this.#now = Math.round(performance.now())
      queue.limit = pace.queueLimit
      queue.targetMs = pace.targetMs
    }
    if (end - start <= pace.longest || gsoType(memory.bytes, start) === GSO_NONE) {
      queue.enqueue(memory, start, end, this.#now)
      return
    }
    finisher ??= new Finisher(FrameMemory.native(MIN_SCRATCH))
    finisher.reset()
    const frames = finisher.finish(memory, start, end)
    if (frames <= 0) {
      this.#now = -1 // if it was the first of its batch, nothing may follow that ends it
      return this.#drop(DROP_BAD_OFFLOAD, memory, start, end)
    }
    for (let i = 0; i < frames; i++)
      queue.enqueue(finisher.memory, int32(finisher.starts, i), int32(finisher.ends, i), this.#now)
  }

  /** Apart from where it is used: a function that makes a closure allocates at every call. */
  #makeQueue(): FairQueue {
    return new FairQueue({
      capacity: FAIR_QUEUE_OCTETS,
      seed: this.#seed,
      onDrop: (reason, memory, start, end) => this.#drop(reason, memory, start, end),
    })
  }

  /** Moves frames from the queue to the buffer, as many as are written at once. */
  #fill(queue: FairQueue, pace: Pace): void {
    const now = Math.round(performance.now())
    const most = Math.min(pace.piece, WRITE_OCTETS)
    queue.targetMs = pace.targetMs
    while (this.#tail - this.#head < most) {
      const start = queue.dequeue(now)
      if (start < 0) break
      this.#append(queue.memory, start, queue.end)
    }
  }

  /** Puts a record behind those in the buffer. */
  #append(memory: FrameMemory, start: number, end: number): void {
    const payload = end - start + VIRTIO_HEADER_LEN
    if (this.#tail + RECORD_HEADER_LEN + payload > BUFFER_OCTETS) this.#compact()
    putRecordHeader(this.#out, this.#tail, RECORD_FRAME, payload)
    copyFrame(memory, start - VIRTIO_HEADER_LEN, end, this.#memory, this.#tail + RECORD_HEADER_LEN)
    this.#tail += RECORD_HEADER_LEN + payload
    this.#account.sent(wireFrames(memory.bytes, start, end), wireOctets(memory.bytes, start, end))
  }

  #writePiece(stream: TunnelStream): void {
    const from = this.#head
    let to = from
    while (to < this.#tail && to - from < WRITE_OCTETS) to += RECORD_HEADER_LEN + u24(this.#out, to + 1)
    this.#head = to
    if (!stream.write(this.#out.subarray(from, to))) this.#leaveBuffer()
  }

  /** Makes room behind what waits. */
  #compact(): void {
    this.#out.copyWithin(0, this.#head, this.#tail)
    this.#tail -= this.#head
    this.#head = 0
  }

  /** The stream keeps a piece of the buffer: goes on in a new one with what waits. */
  #leaveBuffer(): void {
    this.#lent.push(this.#memory)
    const next = FrameMemory.native(BUFFER_OCTETS)
    copyFrame(this.#memory, this.#head, this.#tail, next, 0)
    this.#memory = next
    this.#out = Buffer.from(next.bytes.buffer, next.bytes.byteOffset, BUFFER_OCTETS)
    this.#tail -= this.#head
    this.#head = 0
  }

  /** Frames in the buffer were counted as sent when they were put there. */
  #dropWaiting(): void {
    while (this.#head < this.#tail) {
      const start = this.#head + HEADERS
      const end = this.#head + RECORD_HEADER_LEN + u24(this.#out, this.#head + 1)
      const frames = wireFrames(this.#out, start, end)
      const octets = wireOctets(this.#out, start, end)
      this.#account.sent(-frames, -octets)
      this.#account.lost(DROP_LINK_DOWN, frames, octets)
      this.#head = end
    }
    this.#head = this.#tail = 0
  }
}

function freeAll(memories: readonly FrameMemory[]): void {
  for (const memory of memories) memory.free()
}
