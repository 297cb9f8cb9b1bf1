/**
 * Puts the FRAME records of a byte stream (net/tunnel/framing.ts) together in native memory and hands the frames on
 * from there, so that each is sent from where it lies. Records that are not whole stay for the next octets.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { DROP_BAD_OFFLOAD, DROP_SHORT, type PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink } from '#net/port/port.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import {
  MAX_CONTROL_PAYLOAD,
  MAX_FRAME_PAYLOAD,
  RECORD_FRAME,
  RECORD_HEADER_LEN,
} from '#net/tunnel/framing.ts'
import { u24, u8 } from '#net/wire/octets.ts'
import { isValidHeader, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const ETHERNET = 14
const LONGEST_RECORD = RECORD_HEADER_LEN + MAX_FRAME_PAYLOAD
/** Room for several super-frames, so that a read is large and little is moved. */
const SIZE = 8 * 65_536

export class FrameAssembler {
  readonly memory = FrameMemory.native(SIZE)
  readonly #counters: PortCounters
  readonly #sink: FrameSink
  readonly #onControl: ((type: number, payload: Uint8Array) => void) | undefined
  #head = 0
  #tail = 0

  /** @param onControl  takes records that are not frames, their payload lent; without it they break the stream */
  constructor(
    counters: PortCounters,
    sink: FrameSink,
    onControl?: (type: number, payload: Uint8Array) => void,
  ) {
    this.#counters = counters
    this.#sink = sink
    this.#onControl = onControl
  }

  /** Address to read octets to, at most `room` of them; `added` says how many came. */
  get address(): number {
    return this.memory.address + this.#tail
  }

  get room(): number {
    return SIZE - this.#tail
  }

  /** `count` octets were read to `address`: hands the whole frames on. @throws ProtocolError on a broken stream */
  added(count: number): void {
    this.#tail += count
    this.#deliver()
  }

  /** Takes a copy of `chunk[start, end)` and hands the whole frames on. @throws ProtocolError on a broken stream */
  append(chunk: Uint8Array, start: number, end: number): void {
    while (start < end) {
      const take = Math.min(end - start, this.room)
      this.memory.bytes.set(
        start === 0 && take === chunk.length ? chunk : chunk.subarray(start, start + take),
        this.#tail,
      )
      start += take
      this.added(take)
    }
  }

  /** Forgets a record that is not whole: the stream ended. */
  reset(): void {
    this.#head = 0
    this.#tail = 0
  }

  free(): void {
    this.memory.free()
  }

  #deliver(): void {
    const octets = this.memory.bytes
    const tail = this.#tail
    const head = this.#deliverWhole(this.#head, tail)
    if (head === tail) {
      this.#head = 0
      this.#tail = 0
    } else if (SIZE - tail < LONGEST_RECORD) {
      octets.copyWithin(0, head, tail)
      this.#head = 0
      this.#tail = tail - head
    } else this.#head = head
  }

  /** Hands the whole frames of `[head, tail)` on. @returns where the first record begins that is not whole */
  #deliverWhole(head: number, tail: number): number {
    const octets = this.memory.bytes
    let any = false
    try {
      while (tail - head >= RECORD_HEADER_LEN) {
        const type = u8(octets, head)
        const length = u24(octets, head + 1)
        const isFrame = type === RECORD_FRAME
        if (
          isFrame
            ? length <= VIRTIO_HEADER_LEN || length > MAX_FRAME_PAYLOAD
            : this.#onControl === undefined || length > MAX_CONTROL_PAYLOAD
        )
          throw new ProtocolError('frame-length', `record of type ${type}, ${length} octets`)
        const next = head + RECORD_HEADER_LEN + length
        if (next > tail) break
        if (isFrame) {
          this.#frame(head + RECORD_HEADER_LEN + VIRTIO_HEADER_LEN, next)
          any = true
        } else this.#onControl?.(type, octets.subarray(head + RECORD_HEADER_LEN, next))
        head = next
      }
    } finally {
      // Also of a stream that breaks: other ports hold its frames by reference until then.
      if (any) this.#sink.batchEnd()
    }
    return head
  }

  #frame(start: number, end: number): void {
    const counters = this.#counters
    const octets = this.memory.bytes
    if (end - start < ETHERNET) {
      counters.dropIn(DROP_SHORT, 1)
      return
    }
    if (!isValidHeader(octets, start, end)) {
      counters.dropIn(DROP_BAD_OFFLOAD, 1)
      return
    }
    counters.inFrames += wireFrames(octets, start, end)
    counters.inOctets += wireOctets(octets, start, end)
    this.#sink.frame(this.memory, start, end)
  }
}
