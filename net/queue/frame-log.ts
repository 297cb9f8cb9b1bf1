/**
 * Copies of frames one behind the other in order of arrival. With its virtio header and `TAG_ROOM` octets before it, each
 * is a frame like any other, in a numbered slot. Frames are released in any order; when the log has reached its bound,
 * `compact` moves what is left together at the front. An empty log begins at the front again.
 */
import { copyFrame, FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { float64, int32 } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const ROOM = TAG_ROOM + VIRTIO_HEADER_LEN
export const LOG_SLOTS = 8192
/** What may be held of the bound and of the slots: with less to gain, compacting would move too much for each frame. */
export const FULL = 0.75
const RELEASED = -1

export class FrameLog {
  readonly memory: FrameMemory
  /** By slot: where the frame lies, whose it is (-1: released), when it came. As they were until the next `append`. */
  readonly starts = new Int32Array(LOG_SLOTS)
  readonly ends = new Int32Array(LOG_SLOTS)
  readonly flows = new Int32Array(LOG_SLOTS)
  readonly times = new Float64Array(LOG_SLOTS)
  /** Slots in use, released ones among them. */
  slots = 0
  /** Octets of memory that are made use of, at most its size. */
  bound: number
  /** Octet behind the newest frame. */
  #tail = 0
  /** Frames not released, and the octets that they take. */
  #frames = 0
  #octets = 0

  constructor(capacity: number) {
    this.memory = FrameMemory.native(capacity)
    this.bound = capacity
  }

  /** Whether a frame of `length` octets may be appended; an empty log takes one that fits in the bound. */
  hasRoom(length: number): boolean {
    if (this.#frames === 0) return ROOM + length <= this.bound
    return this.#octets + ROOM + length <= FULL * this.bound && this.#frames < FULL * LOG_SLOTS
  }

  /** Whether `compact` must come before a frame of `length` octets is appended. */
  isAtEnd(length: number): boolean {
    return this.#tail + ROOM + length > this.bound || this.slots === LOG_SLOTS
  }

  /** Copies a frame behind the newest one, after `hasRoom` and not `isAtEnd`. @returns its slot, the number of slots before */
  append(memory: FrameMemory, start: number, end: number, flow: number, now: number): number {
    const slot = this.slots++
    const to = this.#tail + ROOM
    copyFrame(memory, start - VIRTIO_HEADER_LEN, end, this.memory, to - VIRTIO_HEADER_LEN)
    this.#tail = to + end - start
    this.starts[slot] = to
    this.ends[slot] = this.#tail
    this.flows[slot] = flow
    this.times[slot] = now
    this.#frames++
    this.#octets += ROOM + end - start
    return slot
  }

  release(slot: number): void {
    this.flows[slot] = RELEASED
    this.#frames--
    this.#octets -= ROOM + int32(this.ends, slot) - int32(this.starts, slot)
    if (this.#frames === 0) this.slots = this.#tail = 0
  }

  /** Moves the frames together. They have new slots then, from 0 to `slots` - 1, in the same order. */
  compact(): void {
    const b = this.memory.bytes
    let slots = 0
    let tail = 0
    for (let slot = 0; slot < this.slots; slot++) {
      const flow = int32(this.flows, slot)
      if (flow === RELEASED) continue
      const from = int32(this.starts, slot) - ROOM
      const end = int32(this.ends, slot)
      if (from !== tail) b.copyWithin(tail, from, end)
      this.starts[slots] = tail + ROOM
      tail += end - from
      this.ends[slots] = tail
      this.flows[slots] = flow
      this.times[slots] = float64(this.times, slot)
      slots++
    }
    this.slots = slots
    this.#tail = tail
  }

  free(): void {
    this.memory.free()
  }
}
