/** Copying and summing in one pass, 32 bits at a time; for little-endian machines (x86-64, arm64). */
import { fold } from '#net/wire/checksum.ts'
import { putU8, u8 } from '#net/wire/octets.ts'

/** Octets seen as 32-bit words too. */
export class WordView {
  readonly bytes: Uint8Array
  /** Word `i` is octets `[4 * i, 4 * i + 4)`; empty when `bytes` does not begin on a word. */
  readonly words: Int32Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.words =
      bytes.byteOffset % 4 === 0
        ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
        : new Int32Array(0)
  }
}

/**
 * Copies `from[start, end)`, at most 128 KiB, to `to[index, ...)`; the two may not overlap. Fast when `index` and
 * `start` are equal modulo 4. @returns the folded sum of the octets, as `sum` of checksum.ts gives it.
 */
export function copySum(from: WordView, start: number, end: number, to: WordView, index: number): number {
  const input = from.bytes
  const output = to.bytes
  const inputWords = from.words
  const outputWords = to.words
  const shift = index - start
  const byWord = (shift & 3) === 0 && inputWords.length > 0 && outputWords.length > 0
  const head = byWord ? Math.min(end, (start + 3) & ~3) : end
  // Octets are weighed by their place in memory, even ones low; that is network order when `start` is odd.
  let total = 0
  let i = start
  for (; i < head; i++) {
    const octet = u8(input, i)
    putU8(output, i + shift, octet)
    total = (total + (octet << ((i & 1) << 3))) | 0
  }
  if (i < end) {
    const lastWord = end >> 2
    for (let w = i >> 2, o = (i + shift) >> 2; w < lastWord; w++, o++) {
      const word = inputWords[w] ?? 0
      outputWords[o] = word
      total = (total + (word & 0xffff) + (word >>> 16)) | 0
    }
    for (i = lastWord << 2; i < end; i++) {
      const octet = u8(input, i)
      putU8(output, i + shift, octet)
      total = (total + (octet << ((i & 1) << 3))) | 0
    }
  }
  const folded = fold(total >>> 0)
  return (start & 1) === 1 ? folded : ((folded & 0xff) << 8) | (folded >>> 8)
}
