/**
 * Port kind `tunnel`: frames as records on a byte stream that somebody else writes and reads (an SSH channel).
 * All frames of one turn of the event loop go in one write: one frame a write caps ssh2 at some 100 000 a second.
 */
import { DROP_LINK_DOWN, DROP_QUEUE_FULL, DROP_TOO_BIG, type PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { MAX_WIRE_FRAME, type FrameSink, type Port } from '#net/port/port.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { MAX_FRAME_PAYLOAD, putRecordHeader, RECORD_FRAME, RECORD_HEADER_LEN } from '#net/tunnel/framing.ts'
import { u24, u8 } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** Octets that wait while the stream takes nothing; frames beyond are lost and counted. */
const QUEUE_OCTETS = 1 << 20
/** Room for the queue and a longest record beyond what was written from its front. */
const BUFFER_OCTETS = 2 * QUEUE_OCTETS
/** Written at once, without waiting for the end of the turn, and in pieces of this size. */
const WRITE_OCTETS = 64 << 10

/** Where the records go. */
export interface TunnelStream {
  /** Takes `octets`. @returns true: they are copied or sent, the buffer is free again; false: it is kept. */
  write(octets: Buffer): boolean
  /** Nothing more is to be written before `TunnelPort.drained` is called. */
  readonly isFull: boolean
}

export interface TunnelPortOptions {
  readonly name: string
  readonly counters: PortCounters
  readonly sink: FrameSink
}

export class TunnelPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  superFrames = true
  maxFrame = MAX_WIRE_FRAME
  readonly #sink: FrameSink
  readonly #assembler: FrameAssembler
  #stream: TunnelStream | undefined
  #out = Buffer.allocUnsafeSlow(BUFFER_OCTETS)
  /** What waits is `out[head, tail)`, whole records. */
  #head = 0
  #tail = 0
  #scheduled = false
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false
    this.#write()
  }

  constructor(options: TunnelPortOptions) {
    this.name = options.name
    this.counters = options.counters
    this.#sink = options.sink
    this.#assembler = new FrameAssembler(options.counters, options.sink)
  }

  get up(): boolean {
    return this.#stream !== undefined
  }

  /** The tunnel is open. @param peer  what the far side takes */
  connect(stream: TunnelStream, peer: { superFrames: boolean; largestFrame: number }): void {
    this.superFrames = peer.superFrames
    this.maxFrame = Math.min(peer.largestFrame, MAX_WIRE_FRAME)
    this.#stream = stream
    this.#sink.portState(true, 'tunnel is open')
  }

  /** The tunnel is gone. Frames that waited are lost, and were counted as sent when they were queued. */
  disconnect(why: string): void {
    if (!this.#stream) return
    this.#stream = undefined
    this.#head = this.#tail = 0
    this.#assembler.reset()
    this.#sink.portState(false, why)
  }

  /** Octets of FRAME records from the far side. @throws ProtocolError on a broken stream */
  receive(chunk: Uint8Array, start: number, end: number): void {
    if (this.#stream) this.#assembler.append(chunk, start, end)
  }

  /** The stream takes octets again. */
  drained(): void {
    this.#write()
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const counters = this.counters
    const octets = memory.bytes
    const frames = wireFrames(octets, start, end)
    const payload = end - start + VIRTIO_HEADER_LEN
    const size = RECORD_HEADER_LEN + payload
    let reason = -1
    if (!this.#stream) reason = DROP_LINK_DOWN
    else if (payload > MAX_FRAME_PAYLOAD) reason = DROP_TOO_BIG
    else if (this.#tail - this.#head + size > QUEUE_OCTETS) reason = DROP_QUEUE_FULL
    if (reason >= 0) {
      counters.dropOut(reason, frames)
      return
    }
    if (this.#tail + size > BUFFER_OCTETS) this.#compact()
    const out = this.#out
    const from = start - VIRTIO_HEADER_LEN
    putRecordHeader(out, this.#tail, RECORD_FRAME, payload)
    // A small copy costs less by hand than by a view of the source (one object a frame).
    if (payload <= 128) {
      let to = this.#tail + RECORD_HEADER_LEN
      for (let i = from; i < end; i++) out[to++] = u8(octets, i)
    } else out.set(octets.subarray(from, end), this.#tail + RECORD_HEADER_LEN)
    this.#tail += size
    counters.outFrames += frames
    counters.outOctets += wireOctets(octets, start, end)
    if (this.#tail - this.#head >= WRITE_OCTETS) this.#write()
  }

  flush(): void {
    if (this.#tail === this.#head || this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#onTurnEnd)
  }

  close(): void {
    this.disconnect('closed')
    this.#assembler.free()
  }

  /**
   * Writes what waits, whole records, in pieces: the far side works on one while the next is encrypted. Measured with
   * bulk TCP: pieces of 1 MiB leave both ends idle in turn.
   */
  #write(): void {
    while (this.#head < this.#tail && this.#stream && !this.#stream.isFull) {
      const from = this.#head
      let to = from
      while (to < this.#tail && to - from < WRITE_OCTETS) to += RECORD_HEADER_LEN + u24(this.#out, to + 1)
      this.#head = to
      if (!this.#stream.write(this.#out.subarray(from, to))) this.#leaveBuffer()
    }
    if (this.#head === this.#tail) this.#head = this.#tail = 0
  }

  /** Makes room behind what waits. */
  #compact(): void {
    this.#out.copyWithin(0, this.#head, this.#tail)
    this.#tail -= this.#head
    this.#head = 0
  }

  /** The stream keeps a piece of the buffer: goes on in a new one with what waits. */
  #leaveBuffer(): void {
    const next = Buffer.allocUnsafeSlow(BUFFER_OCTETS)
    this.#out.copy(next, 0, this.#head, this.#tail)
    this.#out = next
    this.#tail -= this.#head
    this.#head = 0
  }
}
