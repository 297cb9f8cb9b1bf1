/**
 * Framing of the layer-2 tunnel: records on a byte stream, in either direction.
 *
 *    0      1              4
 *    | type | length (24)  | payload[length]
 *
 * FRAME: the 10-octet virtio-net header (net/wire/virtio.ts), then the Ethernet frame without FCS.
 * HELLO, BYE: JSON, UTF-8. PING, PONG: 8 octets that the PONG gives back. Other types are control records of later
 * versions: skipped. `RecordScanner` walks a chunk without copying frames, so that a relay passes whole runs on.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { putU24, putU8, u24, u8 } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

export const RECORD_HEADER_LEN = 4
export const RECORD_FRAME = 1
export const RECORD_HELLO = 2
export const RECORD_PING = 3
export const RECORD_PONG = 4
export const RECORD_BYE = 5
/** Between gateway and fabric only: net/port/tunnel/drops.ts. */
export const RECORD_DROPS = 6

/** Longest FRAME payload: virtio header and a super-frame of 65535 octets of IP behind Ethernet and four tags. */
export const MAX_FRAME_PAYLOAD = VIRTIO_HEADER_LEN + 14 + 16 + 65535
export const MAX_CONTROL_PAYLOAD = 4096

/** Writes a record header at `b[at, at + 4)`. */
export function putRecordHeader(b: Uint8Array, at: number, type: number, length: number): void {
  putU8(b, at, type)
  putU24(b, at + 1, length)
}

/** A whole control record. */
export function controlRecord(type: number, payload: Uint8Array): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_LEN + payload.length)
  putRecordHeader(record, 0, type, payload.length)
  record.set(payload, RECORD_HEADER_LEN)
  return record
}

export interface RecordHandler {
  /** `chunk[start, end)`: octets of FRAME records with their headers, a stream that may be cut anywhere. */
  onFrames(chunk: Uint8Array, start: number, end: number): void
  /** One control record. `payload` is lent. */
  onControl(type: number, payload: Uint8Array): void
}

/** Splits the stream into runs of FRAME records and control records, and refuses lengths out of bounds. */
export class RecordScanner {
  readonly #handler: RecordHandler
  readonly #header = new Uint8Array(RECORD_HEADER_LEN)
  readonly #control = new Uint8Array(MAX_CONTROL_PAYLOAD)
  #headerFilled = 0
  #type = 0
  #left = 0
  #controlFilled = 0

  constructor(handler: RecordHandler) {
    this.#handler = handler
  }

  /** Octets until the FRAME record under way is whole: what is written between must not be put before. */
  get leftInFrame(): number {
    return this.#type === RECORD_FRAME ? this.#left : 0
  }

  /**
   * Takes the next octets of the stream. A run of FRAME records is handed on as one span. A header that is split
   * between chunks is held back until it is whole, so a span never begins or ends inside a header.
   * @throws ProtocolError `frame-length`; the stream is then useless
   */
  scan(chunk: Uint8Array, start: number, end: number): void {
    let at = start
    let run = -1 // where the current run of frame octets begins
    while (at < end) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, end - at)
        if (this.#type === RECORD_FRAME) {
          if (run < 0) run = at
        } else {
          this.#control.set(chunk.subarray(at, at + take), this.#controlFilled)
          this.#controlFilled += take
        }
        at += take
        this.#left -= take
        if (this.#left === 0 && this.#type !== RECORD_FRAME) this.#endControl()
        continue
      }
      if (this.#headerFilled === 0 && end - at >= RECORD_HEADER_LEN) {
        this.#begin(u8(chunk, at), u24(chunk, at + 1))
        if (this.#type === RECORD_FRAME) {
          if (run < 0) run = at
        } else if (run >= 0) {
          this.#handler.onFrames(chunk, run, at)
          run = -1
        }
        at += RECORD_HEADER_LEN
        if (this.#left === 0) this.#endControl()
        continue
      }
      if (run >= 0) {
        this.#handler.onFrames(chunk, run, at)
        run = -1
      }
      putU8(this.#header, this.#headerFilled++, u8(chunk, at++))
      if (this.#headerFilled === RECORD_HEADER_LEN) {
        this.#headerFilled = 0
        this.#begin(u8(this.#header, 0), u24(this.#header, 1))
        if (this.#type === RECORD_FRAME) this.#handler.onFrames(this.#header, 0, RECORD_HEADER_LEN)
        else if (this.#left === 0) this.#endControl()
      }
    }
    if (run >= 0) this.#handler.onFrames(chunk, run, end)
  }

  #begin(type: number, length: number): void {
    if (type === RECORD_FRAME) {
      if (length <= VIRTIO_HEADER_LEN || length > MAX_FRAME_PAYLOAD)
        throw new ProtocolError(
          'frame-length',
          `frame record of ${length} octets (allowed: ${VIRTIO_HEADER_LEN + 1} to ${MAX_FRAME_PAYLOAD})`,
        )
    } else if (type === 0 || length > MAX_CONTROL_PAYLOAD)
      throw new ProtocolError(
        'frame-length',
        `control record of type ${type} with ${length} octets (allowed: up to ${MAX_CONTROL_PAYLOAD})`,
      )
    this.#type = type
    this.#left = length
    this.#controlFilled = 0
  }

  #endControl(): void {
    this.#handler.onControl(this.#type, this.#control.subarray(0, this.#controlFilled))
  }
}
