/**
 * Frames that wait for their time: a binary heap of copies by deadline, those of the same one in order of arrival.
 * Bounded in frames and octets. `take` lends the frame whose time has come; its memory stays as it is until `recycle`.
 */
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { FrameChunk, FrameChunks } from '#net/impairment/frame-chunks.ts'
import { float64, int32, putU8, u8 } from '#net/wire/octets.ts'
import { putPlain } from '#net/wire/virtio.ts'

export const MAX_WAITING_FRAMES = 65_536
export const MAX_WAITING_OCTETS = 1 << 24
const FIRST_CAPACITY = 256

export interface Arrival {
  /** Milliseconds. */
  readonly deliverAt: number
  /** The bit that is turned in the copy, -1: none. */
  readonly bit: number
}

export class DeadlineQueue {
  /** Frames that wait. */
  size = 0
  /** Of the first frame, Infinity when none waits. A field, as V8 puts what a getter returns on the heap. */
  deadline = 0.5
  /** The frame that `take` has lent. */
  memory: FrameMemory | null = null
  start = 0
  end = 0

  private readonly chunks = new FrameChunks(MAX_WAITING_OCTETS)
  private sequence = 0
  private capacity = FIRST_CAPACITY
  /** Slots in heap order, the first `size`; behind them those that are free. */
  private heap = Int32Array.from({ length: FIRST_CAPACITY }, (_, i) => i)
  // By slot.
  private deadlines = new Float64Array(FIRST_CAPACITY)
  private sequences = new Float64Array(FIRST_CAPACITY)
  private starts = new Int32Array(FIRST_CAPACITY)
  private ends = new Int32Array(FIRST_CAPACITY)
  private readonly holders: (FrameChunk | null)[] = []

  constructor() {
    this.deadline = Infinity
  }

  /** Octets of native memory that are held. */
  get octets(): number {
    return this.chunks.octets
  }

  /** Copies a frame with its virtio header. @returns false when there is no room */
  add(memory: FrameMemory, start: number, end: number, arrival: Arrival): boolean {
    if (this.size === MAX_WAITING_FRAMES) return false
    const chunk = this.chunks.add(memory, start, end)
    if (chunk === null) return false
    if (this.size === this.capacity) this.grow()
    const slot = int32(this.heap, this.size)
    this.deadlines[slot] = arrival.deliverAt
    this.sequences[slot] = this.sequence++
    this.starts[slot] = this.chunks.start
    this.ends[slot] = chunk.tail
    this.holders[slot] = chunk
    if (arrival.bit >= 0) turn(chunk.memory.bytes, this.chunks.start, arrival.bit)
    this.rise(this.size++, slot)
    this.deadline = float64(this.deadlines, int32(this.heap, 0))
    return true
  }

  /** Lends the first frame in `memory`, `start`, `end`. False when none waits. */
  take(): boolean {
    if (this.size === 0) return false
    const slot = int32(this.heap, 0)
    const chunk = this.holders[slot] ?? null
    this.start = int32(this.starts, slot)
    this.end = int32(this.ends, slot)
    if (chunk !== null) {
      this.memory = chunk.memory
      chunk.frames--
    }
    this.holders[slot] = null
    const last = int32(this.heap, --this.size)
    this.heap[this.size] = slot
    if (this.size > 0) this.sink(last)
    this.deadline = this.size === 0 ? Infinity : float64(this.deadlines, int32(this.heap, 0))
    return true
  }

  /** The frames that `take` has lent may be overwritten from now on. */
  recycle(): void {
    this.memory = null
    this.chunks.recycle()
  }

  free(): void {
    this.chunks.free()
  }

  private isBefore(a: number, b: number): boolean {
    const first = float64(this.deadlines, a)
    const second = float64(this.deadlines, b)
    return first < second || (first === second && float64(this.sequences, a) < float64(this.sequences, b))
  }

  /** Puts a slot at `place` or above. */
  private rise(place: number, slot: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = int32(this.heap, parent)
      if (!this.isBefore(slot, above)) break
      this.heap[place] = above
      place = parent
    }
    this.heap[place] = slot
  }

  /** Puts a slot at the top or below. */
  private sink(slot: number): void {
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.size) break
      if (child + 1 < this.size && this.isBefore(int32(this.heap, child + 1), int32(this.heap, child)))
        child++
      const below = int32(this.heap, child)
      if (!this.isBefore(below, slot)) break
      this.heap[place] = below
      place = child
    }
    this.heap[place] = slot
  }

  private grow(): void {
    const before = this.capacity
    this.capacity = Math.min(2 * before, MAX_WAITING_FRAMES)
    this.heap = larger(this.heap, new Int32Array(this.capacity))
    for (let slot = before; slot < this.capacity; slot++) this.heap[slot] = slot
    this.deadlines = larger(this.deadlines, new Float64Array(this.capacity))
    this.sequences = larger(this.sequences, new Float64Array(this.capacity))
    this.starts = larger(this.starts, new Int32Array(this.capacity))
    this.ends = larger(this.ends, new Int32Array(this.capacity))
  }
}

/** Turns a bit of the frame at `start`. Nobody has checked it then, whatever its virtio header says. */
function turn(b: Uint8Array, start: number, bit: number): void {
  putPlain(b, start)
  const at = start + (bit >> 3)
  putU8(b, at, u8(b, at) ^ (0x80 >> (bit & 7)))
}

function larger<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
