/**
 * Memory that frames lie in, outside the JavaScript heap, at an address that system calls can be given.
 * A frame is `(memory, start, end)`: octets `memory.bytes[start, end)`, its virtio-net header directly before them,
 * and before that at least `TAG_ROOM` octets that belong to the frame, so that a tag can be pushed in place.
 */
import koffi from 'koffi'

/** Octets before the virtio header that whoever holds the frame may overwrite. */
export const TAG_ROOM = 4

export class FrameMemory {
  readonly bytes: Uint8Array
  /** Address of `bytes[0]`; a number, as user-space addresses stay below 2^53. 0: not native, system calls must copy. */
  readonly address: number

  constructor(bytes: Uint8Array, address = 0) {
    this.bytes = bytes
    this.address = address
  }

  /** Native memory of `size` octets, zeroed, aligned to 16; freed with `free`. */
  static native(size: number): FrameMemory {
    const pointer = calloc(1, size)
    if (!pointer) throw new RangeError(`cannot allocate ${size} octets of frame memory`)
    return new FrameMemory(new Uint8Array(koffi.view(pointer, size)), Number(pointer))
  }

  /** Gives native memory back. Nothing may use it, or a view of it, afterwards. */
  free(): void {
    if (this.address !== 0) release(this.address)
  }
}

const libc = koffi.load('libc.so.6')
const calloc = libc.func('void* calloc(size_t, size_t)') as (n: number, size: number) => bigint | null
const release = libc.func('void free(uintptr_t)') as (address: number) => void
