/**
 * VDE's stream, as vde_plug speaks it on standard input and output: each frame behind its length, 16 bits, most
 * significant octet first. Length 0 is a keepalive. Nothing marks where a record begins: one that is longer than any
 * frame says that the two sides have lost each other, and ends the stream.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { MAX_VDE_FRAME } from '#net/port/vde/vde-port.ts'
import { putU8, u16, u8 } from '#net/wire/octets.ts'

/** Octets of the length before each frame. */
export const LENGTH_LEN = 2

export class VdeStreamReader {
  readonly #onFrame: (octets: Uint8Array, start: number, end: number) => void
  /** A record that is not whole yet, its length included. */
  readonly #partial = new Uint8Array(LENGTH_LEN + MAX_VDE_FRAME)
  #filled = 0

  /** @param onFrame  is lent each frame, of any length but 0, in `octets[start, end)` */
  constructor(onFrame: (octets: Uint8Array, start: number, end: number) => void) {
    this.#onFrame = onFrame
  }

  /** Takes the next octets of the stream. @throws ProtocolError `frame-length`; the stream is then useless */
  read(chunk: Uint8Array): void {
    let at = this.#filled > 0 ? this.#complete(chunk) : 0
    while (chunk.length - at >= LENGTH_LEN) {
      const next = at + LENGTH_LEN + lengthAt(chunk, at)
      if (next > chunk.length) break
      if (next > at + LENGTH_LEN) this.#onFrame(chunk, at + LENGTH_LEN, next)
      at = next
    }
    if (at === chunk.length) return
    this.#partial.set(chunk.subarray(at))
    this.#filled = chunk.length - at
  }

  /** Goes on with the record under way. @returns how many octets of the chunk belong to it */
  #complete(chunk: Uint8Array): number {
    const partial = this.#partial
    let at = 0
    while (this.#filled < LENGTH_LEN && at < chunk.length) putU8(partial, this.#filled++, u8(chunk, at++))
    if (this.#filled < LENGTH_LEN) return at
    const record = LENGTH_LEN + lengthAt(partial, 0)
    const take = Math.min(record - this.#filled, chunk.length - at)
    partial.set(chunk.subarray(at, at + take), this.#filled)
    this.#filled += take
    if (this.#filled < record) return chunk.length
    this.#filled = 0
    if (record > LENGTH_LEN) this.#onFrame(partial, LENGTH_LEN, record)
    return at + take
  }
}

function lengthAt(octets: Uint8Array, at: number): number {
  const length = u16(octets, at)
  if (length > MAX_VDE_FRAME)
    throw new ProtocolError(
      'frame-length',
      `this is no VDE stream: a frame of ${length} octets is announced, ${MAX_VDE_FRAME} is the most`,
    )
  return length
}
