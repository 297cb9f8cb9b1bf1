/**
 * Divides a range of octets into blocks: first fit, freed neighbours joined. For few, large, long-lived blocks; no frame
 * waits for it.
 */

/** Blocks begin and end on pages, so that a freed one can be given back to the system. */
const PAGE = 4096

export class Arena {
  /** Free stretches by offset, none touching the next. */
  readonly #free: { offset: number; size: number }[]

  /** @param size  octets of the whole range */
  constructor(size: number) {
    this.#free = [{ offset: 0, size }]
  }

  /** @returns the offset of a block of at least `size` octets, -1 when none is free */
  allocate(size: number): number {
    const needed = roundedToPages(size)
    const index = this.#free.findIndex((stretch) => stretch.size >= needed)
    const stretch = this.#free[index]
    if (!stretch) return -1
    const { offset } = stretch
    stretch.offset += needed
    stretch.size -= needed
    if (stretch.size === 0) this.#free.splice(index, 1)
    return offset
  }

  /** Gives a block back: `offset` as `allocate` returned it for `size`. */
  release(offset: number, size: number): void {
    const end = offset + roundedToPages(size)
    const next = this.#free.findIndex((stretch) => stretch.offset >= end)
    const index = next < 0 ? this.#free.length : next
    const before = this.#free[index - 1]
    const after = this.#free[index]
    const joinsBefore = before !== undefined && before.offset + before.size === offset
    const joinsAfter = after !== undefined && after.offset === end
    if (joinsBefore && joinsAfter) {
      before.size = after.offset + after.size - before.offset
      this.#free.splice(index, 1)
    } else if (joinsBefore) before.size = end - before.offset
    else if (joinsAfter) {
      after.size += after.offset - offset
      after.offset = offset
    } else this.#free.splice(index, 0, { offset, size: end - offset })
  }
}

export const roundedToPages = (size: number): number => Math.ceil(size / PAGE) * PAGE
