/**
 * Memory that frames lie in, outside the JavaScript heap, at an address that system calls can be given.
 * A frame is `(memory, start, end)`: octets `memory.bytes[start, end)`, its virtio-net header directly before them,
 * and before that at least `TAG_ROOM` octets that belong to the frame, so that a tag can be pushed in place.
 *
 * Native memories are parts of one range of addresses, reserved once per process and backed by pages as they are used:
 * within one buffer `copyWithin` copies without the view of the source that `set` needs. Measured with 1514 octets: 33 ns
 * and nothing allocated against 49 ns and 96 octets.
 */
import koffi from 'koffi'
import { Arena, roundedToPages } from '#net/port/arena.ts'
import { hasLibc, libc } from '#net/port/c-library.ts'

/** Octets before the virtio header that whoever holds the frame may overwrite. */
export const TAG_ROOM = 4
/** Of addresses, not of memory. What does not fit has a buffer of its own, and is copied more slowly. */
const RANGE = 1 << 30

interface Range {
  readonly arena: Arena
  readonly bytes: Uint8Array
  readonly address: number
}

export class FrameMemory {
  readonly bytes: Uint8Array
  /** Address of `bytes[0]`; a number, as user-space addresses stay below 2^53. 0: not native, system calls must copy. */
  readonly address: number
  /** Where `bytes` begins in the process's range; -1 when it lies elsewhere. */
  readonly place: number

  constructor(bytes: Uint8Array, address = 0, place = -1) {
    this.bytes = bytes
    this.address = address
    this.place = place
  }

  /** Native memory of `size` octets, zeroed, on pages of its own; freed with `free`. Not native where there is no libc. */
  static native(size: number): FrameMemory {
    if (!hasLibc) return new FrameMemory(new Uint8Array(size))
    const { arena, bytes, address } = (range ??= reserve())
    const place = arena.allocate(size)
    if (place >= 0) return new FrameMemory(bytes.subarray(place, place + size), address + place, place)
    const pointer = calloc(1, size)
    if (!pointer) throw new RangeError(`cannot allocate ${size} octets of frame memory`)
    return new FrameMemory(new Uint8Array(koffi.view(pointer, size)), Number(pointer))
  }

  /** Gives native memory back. Nothing may use it, or a view of it, afterwards. */
  free(): void {
    const size = this.bytes.length
    if (this.place >= 0) {
      madvise(this.address, roundedToPages(size), MADV_DONTNEED) // zeroes again when used again
      range?.arena.release(this.place, size)
    } else if (this.address !== 0) release(this.address)
  }
}

/** Copies `from.bytes[start, end)` to `to.bytes` at `at`; the two may overlap. Allocates nothing between native memories. */
export function copyFrame(from: FrameMemory, start: number, end: number, to: FrameMemory, at: number): void {
  if (from.place >= 0 && to.place >= 0 && range !== undefined) {
    range.bytes.copyWithin(to.place + at, from.place + start, from.place + end)
  } else to.bytes.set(from.bytes.subarray(start, end), at)
}

const PROT_READ_WRITE = 3
const MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022
const MADV_DONTNEED = 4

const mmap = libc.func('intptr_t mmap(uintptr_t, size_t, int, int, int, long)') as (
  ...args: [number, number, number, number, number, number]
) => number
const madvise = libc.func('int madvise(uintptr_t, size_t, int)') as (
  address: number,
  size: number,
  advice: number,
) => number
const calloc = libc.func('void* calloc(size_t, size_t)') as (n: number, size: number) => bigint | null
const release = libc.func('void free(uintptr_t)') as (address: number) => void

let range: Range | undefined

function reserve(): Range {
  const address = mmap(0, RANGE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0)
  // A process that may not have as many addresses (ulimit -v) goes on with single allocations.
  if (address <= 0) return { arena: new Arena(0), bytes: new Uint8Array(0), address: 0 }
  return { arena: new Arena(RANGE), bytes: new Uint8Array(koffi.view(BigInt(address), RANGE)), address }
}
