/**
 * Reading and writing TAPs without waiting, even where another process that has the descriptor has made it wait: preadv2(2)
 * and pwritev2(2) with RWF_NOWAIT. Linux before 5.11 does not know this of TAPs.
 */
import { release } from 'node:os'
import { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import { putPointer } from '#net/port/pointer.ts'
import { putU32le } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** Frames read before they are switched together. */
export const SLOTS = 16
export const HEADROOM = 64
export const SLOT = 66_048
const IOVEC = 16
const RWF_NOWAIT = 8

const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat)
const flags = major > 5 || (major === 5 && minor >= 11) ? RWF_NOWAIT : 0

/** Of all TAPs of the process: a batch is switched before the next is read, by whatever port. */
class TapIo {
  readonly frames = FrameMemory.native(SLOTS * SLOT)
  readonly #staging = FrameMemory.native(SLOT)
  /** One for each slot, and one to write from. */
  readonly #vectors = FrameMemory.native((SLOTS + 1) * IOVEC)

  constructor() {
    for (let slot = 0; slot < SLOTS; slot++)
      this.#setVector(
        slot,
        this.frames.address + slot * SLOT + HEADROOM - VIRTIO_HEADER_LEN,
        SLOT - HEADROOM + VIRTIO_HEADER_LEN,
      )
  }

  /** @returns octets read, from the virtio header on, which ends `HEADROOM` into the slot; below 1: there is nothing */
  read(fd: number, slot: number): number {
    return libc.preadv2(fd, this.#vectors.address + slot * IOVEC, 1, -1, flags)
  }

  /** @returns below zero when it is not taken, see errno */
  write(fd: number, memory: FrameMemory, start: number, end: number): number {
    let address = memory.address + start
    if (memory.address === 0) {
      this.#staging.bytes.set(memory.bytes.subarray(start, end), 0)
      address = this.#staging.address
    }
    this.#setVector(SLOTS, address, end - start)
    return libc.pwritev2(fd, this.#vectors.address + SLOTS * IOVEC, 1, -1, flags)
  }

  #setVector(i: number, address: number, length: number): void {
    const { bytes } = this.#vectors
    putPointer(bytes, i * IOVEC, address)
    putU32le(bytes, i * IOVEC + 8, length)
  }
}

let shared: TapIo | undefined
export const tapIo = (): TapIo => (shared ??= new TapIo())
