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
import { u8 } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** Octets that wait while the stream takes nothing; frames beyond are lost and counted. */
const QUEUE_OCTETS = 1 << 20
/** Written at once instead of at the end of the turn: a pipeline of this size keeps the far side busy. */
const WRITE_OCTETS = 256 << 10

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
  #out = Buffer.allocUnsafeSlow(QUEUE_OCTETS)
  #filled = 0
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
    this.#filled = 0
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
    else if (this.#filled + size > QUEUE_OCTETS) reason = DROP_QUEUE_FULL
    if (reason >= 0) {
      counters.dropOut(reason, frames)
      return
    }
    const out = this.#out
    const from = start - VIRTIO_HEADER_LEN
    putRecordHeader(out, this.#filled, RECORD_FRAME, payload)
    // A small copy costs less by hand than by a view of the source (one object a frame).
    if (payload <= 128) {
      let to = this.#filled + RECORD_HEADER_LEN
      for (let i = from; i < end; i++) out[to++] = u8(octets, i)
    } else out.set(octets.subarray(from, end), this.#filled + RECORD_HEADER_LEN)
    this.#filled += size
    counters.outFrames += frames
    counters.outOctets += wireOctets(octets, start, end)
  }

  flush(): void {
    if (this.#filled >= WRITE_OCTETS) this.#write()
    else if (this.#filled > 0 && !this.#scheduled) {
      this.#scheduled = true
      setImmediate(this.#onTurnEnd)
    }
  }

  close(): void {
    this.disconnect('closed')
    this.#assembler.free()
  }

  #write(): void {
    if (this.#filled === 0 || !this.#stream || this.#stream.isFull) return
    const octets = this.#out.subarray(0, this.#filled)
    this.#filled = 0
    if (!this.#stream.write(octets)) this.#out = Buffer.allocUnsafeSlow(QUEUE_OCTETS)
  }
}
