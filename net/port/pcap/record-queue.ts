/** Records that wait to be written: one half fills while the other is under way. Bounded. */
import { copyFrame, FrameMemory } from '#net/port/frame-memory.ts'
import { putRecordHeader, RECORD_FRAME, RECORD_HEADER_LEN } from '#net/tunnel/framing.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

interface Half {
  readonly memory: FrameMemory
  readonly buffer: Buffer
}

export class RecordQueue {
  #filling: Half
  #leaving: Half
  /** Octets that wait. */
  octets = 0
  /** FRAME records that were ever put in. */
  frames = 0

  /** @param capacity  octets that wait at most; as many again are under way */
  constructor(capacity: number) {
    this.#filling = half(capacity)
    this.#leaving = half(capacity)
  }

  /** Puts a copy of the frame in, with its virtio header; false: there is no room. */
  frame(memory: FrameMemory, start: number, end: number): boolean {
    const length = end - start + VIRTIO_HEADER_LEN
    if (!this.#header(RECORD_FRAME, length)) return false
    copyFrame(memory, start - VIRTIO_HEADER_LEN, end, this.#filling.memory, this.octets)
    this.octets += length
    this.frames++
    return true
  }

  /** Puts a control record in; false: there is no room. */
  control(type: number, payload: Uint8Array): boolean {
    if (!this.#header(type, payload.length)) return false
    this.#filling.buffer.set(payload, this.octets)
    this.octets += payload.length
    return true
  }

  /** Takes out what waits, whole records: valid until the next call. */
  take(): Buffer {
    const { octets } = this
    const taken = this.#filling
    this.#filling = this.#leaving
    this.#leaving = taken
    this.octets = 0
    return taken.buffer.subarray(0, octets)
  }

  free(): void {
    this.#filling.memory.free()
    this.#leaving.memory.free()
  }

  #header(type: number, length: number): boolean {
    const { buffer } = this.#filling
    if (this.octets + RECORD_HEADER_LEN + length > buffer.length) return false
    putRecordHeader(buffer, this.octets, type, length)
    this.octets += RECORD_HEADER_LEN
    return true
  }
}

function half(capacity: number): Half {
  const memory = FrameMemory.native(capacity)
  const { buffer, byteOffset, length } = memory.bytes
  return { memory, buffer: Buffer.from(buffer, byteOffset, length) }
}
