/**
 * A capture on its way: octets come in any pieces and go on in whole blocks, so that what arrived is a readable file
 * wherever the way breaks. Counts packets and what the statistics at the end say was lost.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { BLOCK_PACKET, BLOCK_STATISTICS } from '#net/pcapng/blocks.ts'
import { u16le, u32le } from '#net/wire/octets.ts'

/** Longer than any block that a hub writes. */
const LONGEST_BLOCK = 1 << 17
const SHORTEST_BLOCK = 12
const STATISTICS_DROPPED = 5
/** Type, length, interface and time of a statistics block. */
const STATISTICS_OPTIONS = 20

export class BlockStream {
  packets = 0
  lost = 0
  /** The statistics have come: nothing but more of them follows. */
  isComplete = false
  #rest: Uint8Array = new Uint8Array(0)

  /** @returns the blocks that are whole now, which may be none @throws ProtocolError when these are no blocks */
  take(chunk: Uint8Array): Uint8Array {
    const octets = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk)
    let at = 0
    while (octets.length - at >= SHORTEST_BLOCK) {
      const length = u32le(octets, at + 4)
      if (length < SHORTEST_BLOCK || length > LONGEST_BLOCK || (length & 3) !== 0)
        throw new ProtocolError('malformed', `a pcapng block of ${length} octets`)
      if (octets.length - at < length) break
      this.#note(octets, at, at + length)
      at += length
    }
    this.#rest = octets.slice(at)
    return octets.subarray(0, at)
  }

  #note(octets: Uint8Array, at: number, end: number): void {
    const type = u32le(octets, at)
    if (type === BLOCK_PACKET) this.packets++
    if (type !== BLOCK_STATISTICS) return
    this.isComplete = true
    for (let i = at + STATISTICS_OPTIONS; i + 12 <= end - 4;) {
      if (u16le(octets, i) === STATISTICS_DROPPED)
        this.lost += u32le(octets, i + 4) + u32le(octets, i + 8) * 0x1_0000_0000
      i += 4 + ((u16le(octets, i + 2) + 3) & ~3)
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const octets = new Uint8Array(a.length + b.length)
  octets.set(a)
  octets.set(b, a.length)
  return octets
}
