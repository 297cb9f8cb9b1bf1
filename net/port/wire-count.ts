/**
 * What a frame in memory counts as on the wire: a super-frame stands for the frames that it is cut into, each with a
 * copy of the headers (VIRTIO 1.2 §5.1.6.2, UDP and TCP segmentation). Octets are without the FCS.
 */
import { GSO_NONE, gsoSize, gsoType } from '#net/wire/virtio.ts'
import { float64 } from '#net/wire/octets.ts'
import { superFrameHeaderLength } from '#net/wire/offload.ts'

/** Wire frames that `b[start, end)` stands for: 1 unless its virtio header makes it a super-frame. */
export function wireFrames(b: Uint8Array, start: number, end: number): number {
  if (gsoType(b, start) === GSO_NONE) return 1
  const header = superFrameHeaderLength(b, start, end)
  return header === 0 ? 1 : segments(end - start - header, gsoSize(b, start))
}

/** Octets of all wire frames that `b[start, end)` stands for, headers repeated. */
export function wireOctets(b: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (gsoType(b, start) === GSO_NONE) return length
  const header = superFrameHeaderLength(b, start, end)
  return header === 0 ? length : length + (segments(length - header, gsoSize(b, start)) - 1) * header
}

/** Adds the wire frames that `b[start, end)` stands for to `counts[i]`, their octets to `counts[i + 1]`. */
export function addWire(counts: Float64Array, i: number, b: Uint8Array, start: number, end: number): void {
  const length = end - start
  const header = gsoType(b, start) === GSO_NONE ? 0 : superFrameHeaderLength(b, start, end)
  const frames = header === 0 ? 1 : segments(length - header, gsoSize(b, start))
  counts[i] = float64(counts, i) + frames
  counts[i + 1] = float64(counts, i + 1) + length + (frames - 1) * header
}

/** Octets of the longest wire frame that `b[start, end)` stands for. */
export function longestWireFrame(b: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (gsoType(b, start) === GSO_NONE) return length
  const header = superFrameHeaderLength(b, start, end)
  return header === 0 ? length : Math.min(length, header + gsoSize(b, start))
}

/** A payload of `octets` cut every `size`; one frame even when the payload or the size is missing. */
const segments = (octets: number, size: number): number =>
  octets <= size || size === 0 ? 1 : Math.ceil(octets / size)
