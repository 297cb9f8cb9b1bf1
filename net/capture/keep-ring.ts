/**
 * The newest blocks of a capture, for readers that may come at any time: the oldest go, whole, where the next one needs
 * room. Blocks are those of pcapng, which say their own length. A block is never split: one that does not fit before
 * the end of the memory goes to its beginning. What a file cannot be read without is kept apart, for good.
 */
import type { BlockRing } from '#net/capture/capture.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { u32le } from '#net/wire/octets.ts'

/** Of a block, where its length stands. */
const LENGTH = 4

export class KeepRing implements BlockRing {
  readonly memory: FrameMemory
  /** Blocks that every file begins with, or has before what needs them; few. */
  readonly descriptions: Uint8Array[] = []
  private readonly size: number
  /** The oldest block, and where the next one goes. */
  private head = 0
  private tail = 0
  /** Blocks lie at `[head, limit)` and `[0, tail)`; else at `[head, tail)`. */
  private isWrapped = false
  private limit = 0
  /** Numbers of the oldest block and of the next one. Doubles from the start, as they pass 2^31 within days. */
  private oldest = 0.5
  private next = 0.5

  /** @param memory  the ring's alone */
  constructor(memory: FrameMemory) {
    this.memory = memory
    this.size = memory.bytes.length
    this.oldest = 0
    this.next = 0
  }

  /** Takes room for a block, to be written at once. @returns its place in the memory, -1 when it is longer than that */
  add(octets: number): number {
    if (octets > this.size) return -1
    while (this.tail + octets > (this.isWrapped ? this.head : this.size)) {
      if (this.isWrapped) this.letGo()
      else {
        this.isWrapped = true
        this.limit = this.tail
        this.tail = 0
      }
    }
    const at = this.tail
    this.tail += octets
    this.next++
    return at
  }

  hasRoom(octets: number): boolean {
    return octets <= this.size
  }

  describe(block: Uint8Array): boolean {
    this.descriptions.push(block)
    return true
  }

  /** Whether the block of a number is there, or will be the next. */
  has(block: number): boolean {
    return block >= this.oldest
  }

  get oldestBlock(): number {
    return this.oldest
  }

  get nextBlock(): number {
    return this.next
  }

  /** @param behind  where the block before it ended. @returns where the block of a number lies, which must be there */
  placeOf(block: number, behind: number): number {
    if (block === this.oldest) return this.head
    return this.isWrapped && behind === this.limit ? 0 : behind
  }

  /** @returns octets of the block at a place */
  lengthAt(place: number): number {
    return u32le(this.memory.bytes, place + LENGTH)
  }

  private letGo(): void {
    this.head += this.lengthAt(this.head)
    this.oldest++
    if (this.head < this.limit) return
    this.head = 0
    this.isWrapped = false
  }
}

/** Reads a ring from its oldest block on, at its own pace. */
export class KeepReader {
  /** Blocks that went before they were read. */
  missed = 0
  readonly #ring: KeepRing
  #described = 0
  #block: number
  /** Where the block before `#block` ended. */
  #place = 0

  constructor(ring: KeepRing) {
    this.#ring = ring
    this.#block = ring.oldestBlock
  }

  /** Whether `take` has something to give. */
  hasMore(until = Infinity): boolean {
    const { nextBlock, descriptions } = this.#ring
    return this.#block < Math.min(until, nextBlock) || this.#described < descriptions.length
  }

  /** The next whole blocks, copied: about `most` octets, and none from number `until` on. */
  take(most: number, until = Infinity): Uint8Array {
    const ring = this.#ring
    const parts = ring.descriptions.slice(this.#described)
    this.#described += parts.length
    const end = Math.min(until, ring.nextBlock)
    if (!ring.has(this.#block)) {
      this.missed += ring.oldestBlock - this.#block
      this.#block = ring.oldestBlock
    }
    for (let octets = 0; this.#block < end && octets < most; this.#block++) {
      const place = ring.placeOf(this.#block, this.#place)
      const length = ring.lengthAt(place)
      parts.push(ring.memory.bytes.subarray(place, place + length))
      this.#place = place + length
      octets += length
    }
    return Uint8Array.from(Buffer.concat(parts))
  }
}
