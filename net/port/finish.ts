/**
 * Finishes frames in software, for ports that carry wire frames only: super-frames are cut, checksums completed. The
 * result is what Linux's own segmentation gives.
 */
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { MAX_SUPER_FRAME } from '#net/port/port.ts'
import { checksumOf, pseudoHeaderSum, sum } from '#net/wire/checksum.ts'
import { copySum, WordView } from '#net/wire/copy-sum.ts'
import {
  IPV4_ADDRESS_LEN,
  IPV4_CHECKSUM,
  IPV4_FRAGMENT,
  IPV4_IDENTIFICATION,
  IPV4_SOURCE,
  IPV4_TOTAL_LENGTH,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '#net/wire/ipv4.ts'
import { IPV6_ADDRESS_LEN, IPV6_HEADER_LEN, IPV6_PAYLOAD_LENGTH, IPV6_SOURCE } from '#net/wire/ipv6.ts'
import { putU16, putU32, u16 } from '#net/wire/octets.ts'
import { SuperFrameHeader } from '#net/wire/offload.ts'
import {
  TCP_ACKNOWLEDGEMENT,
  TCP_CHECKSUM,
  TCP_CWR,
  TCP_FIN,
  TCP_FLAGS,
  TCP_PSH,
  TCP_SEQUENCE,
  TCP_URGENT,
  TCP_WINDOW,
} from '#net/wire/tcp.ts'
import { UDP_CHECKSUM, UDP_LENGTH } from '#net/wire/udp.ts'
import {
  checksumOffset,
  checksumStart,
  FLAG_NEEDS_CHECKSUM,
  flags,
  GSO_NONE,
  gsoSize,
  gsoType,
  isValidHeader,
  putPlain,
  VIRTIO_HEADER_LEN,
} from '#net/wire/virtio.ts'

/** Segments that one super-frame may have; one of more is malformed. */
export const MAX_SEGMENTS = 512
/** Least octets of scratch: the largest super-frame in that many segments, each with 256 octets of headers and room. */
export const MIN_SCRATCH = MAX_SUPER_FRAME + MAX_SEGMENTS * 256
/** Frames that fit between two resets, however small they are. */
const MAX_FRAMES = 2 * MAX_SEGMENTS

/** Before each frame in scratch: room for a tag, virtio header, and what puts the payload on a word of its own. */
const ROOM = TAG_ROOM + VIRTIO_HEADER_LEN + 3
const MAX_PACKET = 0xffff

export class Finisher {
  /** The scratch that finished frames lie in. */
  readonly memory: FrameMemory
  /** Frame `i` is `memory.bytes[starts[i], ends[i])`, for `i` below `count`. */
  readonly starts = new Int32Array(MAX_FRAMES)
  readonly ends = new Int32Array(MAX_FRAMES)
  /** Finished frames since the last reset. */
  count = 0
  #used = 0
  readonly #output: WordView
  /** Of the memories that frames came from. */
  readonly #views = new WeakMap<FrameMemory, WordView>()
  readonly #header = new SuperFrameHeader()

  /** @param scratch  at least `MIN_SCRATCH` octets, the finisher's alone */
  constructor(scratch: FrameMemory) {
    if (scratch.bytes.length < MIN_SCRATCH) throw new RangeError(`scratch is below ${MIN_SCRATCH} octets`)
    this.memory = scratch
    this.#output = new WordView(scratch.bytes)
  }

  /** Frees the scratch; frames in it may be overwritten from now on. */
  reset(): void {
    this.count = 0
    this.#used = 0
  }

  /**
   * Writes the wire frames of frame `memory.bytes[start, end)`, which stays unchanged, after those in the scratch, each
   * behind a plain virtio header and `TAG_ROOM`.
   * @returns their number n, at `count - n` to `count - 1`; 0 when there is no room left: send what is there, `reset`
   * and call again; -1 when the frame is malformed. With 0 and -1 the scratch is as it was.
   */
  finish(memory: FrameMemory, start: number, end: number): number {
    const b = memory.bytes
    if (!isValidHeader(b, start, end)) return -1
    let view = this.#views.get(memory)
    if (view === undefined) {
      view = new WordView(b)
      this.#views.set(memory, view)
    }
    return gsoType(b, start) === GSO_NONE ? this.#complete(view, start, end) : this.#cut(view, start, end)
  }

  /** One frame, whose checksum may be open: its field then holds the sum of the pseudo-header. */
  #complete(view: WordView, start: number, end: number): number {
    const room = this.#room(1, ROOM + end - start)
    if (room <= 0) return room
    const b = view.bytes
    const to = this.#place(start)
    if ((flags(b, start) & FLAG_NEEDS_CHECKSUM) === 0) copySum(view, start, end, this.#output, to)
    else {
      const covered = checksumStart(b, start)
      copySum(view, start, start + covered, this.#output, to)
      const covers = copySum(view, start + covered, end, this.#output, to + covered)
      putU16(this.memory.bytes, to + covered + checksumOffset(b, start), neverZero(checksumOf(covers)))
    }
    this.#add(to, to + end - start)
    return 1
  }

  #cut(view: WordView, start: number, end: number): number {
    const b = view.bytes
    const h = this.#header
    if (!h.decode(b, start, end)) return -1
    const { network, transport, payload, isIpv6, isTcp } = h
    const size = gsoSize(b, start)
    const headers = payload - start
    const segments = end === payload ? 1 : ((end - payload + size - 1) / size) | 0
    if (segments > MAX_SEGMENTS || payload - network + Math.min(size, end - payload) > MAX_PACKET) return -1
    const room = this.#room(segments, segments * (ROOM + headers) + end - payload)
    if (room <= 0) return room

    const networkSum = isIpv6 ? 0 : ipv4Sum(b, network, transport)
    const transportSum = isTcp ? tcpSum(b, h) : udpSum(b, h)
    const identification = u16(b, network + IPV4_IDENTIFICATION)
    // Signed, as a number above 2^31 could cost an allocation.
    const sequence = isTcp
      ? (u16(b, transport + TCP_SEQUENCE) << 16) | u16(b, transport + TCP_SEQUENCE + 2)
      : 0
    const tcpFlags = isTcp ? u16(b, transport + TCP_FLAGS) : 0
    const out = this.memory.bytes
    let from = payload
    for (let i = 0; i < segments; i++) {
      const next = Math.min(end, from + size)
      const to = this.#place(from - headers)
      copySum(view, start, payload, this.#output, to)
      const data = copySum(view, from, next, this.#output, to + headers)

      const ip = to + network - start
      if (isIpv6) putU16(out, ip + IPV6_PAYLOAD_LENGTH, next - from + payload - network - IPV6_HEADER_LEN)
      else {
        const length = next - from + payload - network
        const id = (identification + i) & 0xffff
        putU16(out, ip + IPV4_TOTAL_LENGTH, length)
        putU16(out, ip + IPV4_IDENTIFICATION, id)
        putU16(out, ip + IPV4_CHECKSUM, checksumOf(networkSum + length + id))
      }

      const l4 = to + transport - start
      const length = next - from + payload - transport
      if (isTcp) {
        const seq = (sequence + from - payload) | 0
        const cleared = (i === 0 ? 0 : TCP_CWR) | (i === segments - 1 ? 0 : TCP_FIN | TCP_PSH)
        const bits = tcpFlags & ~cleared
        putU32(out, l4 + TCP_SEQUENCE, seq)
        putU16(out, l4 + TCP_FLAGS, bits)
        const covers = transportSum + length + (seq >>> 16) + (seq & 0xffff) + bits + data
        putU16(out, l4 + TCP_CHECKSUM, checksumOf(covers))
      } else {
        putU16(out, l4 + UDP_LENGTH, length)
        // The length counts twice: in the pseudo-header and in the header.
        putU16(out, l4 + UDP_CHECKSUM, neverZero(checksumOf(transportSum + length + length + data)))
      }
      this.#add(to, to + headers + next - from)
      from = next
    }
    return segments
  }

  /** 1: `frames` of `octets` in all, rooms included, fit; 0: not now; -1: never. */
  #room(frames: number, octets: number): number {
    if (octets > this.memory.bytes.length) return -1
    return this.count + frames <= MAX_FRAMES && this.#used + octets <= this.memory.bytes.length ? 1 : 0
  }

  /** Where the next frame goes, so that it lies on its words as octets at `source` do on theirs. */
  #place(source: number): number {
    const to = this.#used + TAG_ROOM + VIRTIO_HEADER_LEN
    return to + ((source - to) & 3)
  }

  #add(start: number, end: number): void {
    putPlain(this.memory.bytes, start)
    this.starts[this.count] = start
    this.ends[this.count++] = end
    this.#used = end
  }
}

/** A checksum of 0 would say that there is none (RFC 768); Linux completes every kind so. */
const neverZero = (checksum: number): number => (checksum === 0 ? 0xffff : checksum)

// Sums of what all segments have in common; what differs is added for each.

function ipv4Sum(b: Uint8Array, network: number, transport: number): number {
  return (
    u16(b, network) +
    sum(b, network + IPV4_FRAGMENT, network + IPV4_CHECKSUM) +
    sum(b, network + IPV4_SOURCE, transport)
  )
}

function tcpSum(b: Uint8Array, h: SuperFrameHeader): number {
  const t = h.transport
  return (
    pseudoSum(b, h, PROTOCOL_TCP) +
    sum(b, t, t + TCP_SEQUENCE) +
    sum(b, t + TCP_ACKNOWLEDGEMENT, t + TCP_FLAGS) +
    u16(b, t + TCP_WINDOW) +
    sum(b, t + TCP_URGENT, h.payload)
  )
}

function udpSum(b: Uint8Array, h: SuperFrameHeader): number {
  return pseudoSum(b, h, PROTOCOL_UDP) + sum(b, h.transport, h.transport + UDP_LENGTH)
}

function pseudoSum(b: Uint8Array, h: SuperFrameHeader, protocol: number): number {
  return h.isIpv6
    ? pseudoHeaderSum(b, h.network + IPV6_SOURCE, h.finalDestination, IPV6_ADDRESS_LEN, protocol)
    : pseudoHeaderSum(b, h.network + IPV4_SOURCE, h.finalDestination, IPV4_ADDRESS_LEN, protocol)
}
