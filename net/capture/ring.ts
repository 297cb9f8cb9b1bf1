/**
 * Blocks that wait for a reader, in the order in which they were written. A block is never split: one that does not fit
 * before the end of the memory goes to its beginning.
 */
import type { FrameMemory } from '#net/port/frame-memory.ts'

const FULL = -1

export class Ring {
  readonly memory: FrameMemory
  readonly #size: number
  /** The first octet that was not read. */
  #head = 0
  /** Where the next block goes. */
  #tail = 0
  /** Blocks lie at `[head, limit)` and `[0, tail)`; else at `[head, tail)`. */
  #isWrapped = false
  #limit = 0

  /** @param memory  the ring's alone */
  constructor(memory: FrameMemory) {
    this.memory = memory
    this.#size = memory.bytes.length
  }

  /** Takes room for a block, to be written at once. @returns its place in the memory, -1 when the ring is full */
  add(octets: number): number {
    if (this.#isWrapped) return this.#tail + octets <= this.#head ? this.#take(octets) : FULL
    if (this.#tail + octets <= this.#size) return this.#take(octets)
    if (octets > this.#head) return FULL
    this.#isWrapped = true
    this.#limit = this.#tail
    this.#tail = 0
    return this.#take(octets)
  }

  /** Whether blocks of so many octets in all fit one behind the other. */
  hasRoom(octets: number): boolean {
    if (this.#isWrapped) return this.#tail + octets <= this.#head
    return this.#tail + octets <= this.#size || octets <= this.#head
  }

  /** Adds a whole block. @returns false when the ring is full */
  describe(block: Uint8Array): boolean {
    const at = this.add(block.length)
    if (at >= 0) this.memory.bytes.set(block, at)
    return at >= 0
  }

  /** Place of the first octet that waits. */
  get head(): number {
    return this.#head
  }

  /** Octets from there on that lie in one piece; 0: nothing waits. */
  get waiting(): number {
    return (this.#isWrapped ? this.#limit : this.#tail) - this.#head
  }

  /** So many of them have been read. */
  read(octets: number): void {
    this.#head += octets
    if (this.#isWrapped && this.#head === this.#limit) {
      this.#isWrapped = false
      this.#head = 0
    }
    if (!this.#isWrapped && this.#head === this.#tail) {
      this.#head = 0
      this.#tail = 0
    }
  }

  #take(octets: number): number {
    const at = this.#tail
    this.#tail += octets
    return at
  }
}
