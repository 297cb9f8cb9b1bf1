/**
 * Several streams to the same far side that are one port (a bundle of links, as RFC 1990 has it). Frames of a flow go
 * through one of them, so that they keep their order; which one is decided by a hash of the flow with each of them, the
 * highest counts (D. Thaler, C. Ravishankar, "Using name-based mappings"): when one comes, flows move to it alone, and
 * when one goes, its own alone move.
 *
 * The first is the port: it is up as long as that is, whatever becomes of the others.
 */
import type { PortCounters } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { flowHash } from '#net/wire/flow-hash.ts'
import { int32 } from '#net/wire/octets.ts'

/** Of one port. */
export const MOST_STREAMS = 8

export interface PortBundleOptions<Stream extends Port> {
  readonly first: Stream
  /** Of the first. */
  readonly sink: FrameSink
  /** 32 bits that no stranger knows, and others than those of queues behind, or each of these would see few flows only. */
  readonly seed: number
}

export class PortBundle<Stream extends Port> implements Port {
  readonly first: Stream
  /** For a further stream: frames go where those of the first go, but that it is up or down says nothing. */
  readonly sink: FrameSink
  readonly #seed: number
  /** The first, and those that came later. */
  #streams: readonly Stream[]
  /** Of each stream, as the hash of a flow with it needs it. */
  readonly #salts = new Int32Array(MOST_STREAMS)
  #lastSalt = 0

  constructor({ first, sink, seed }: PortBundleOptions<Stream>) {
    this.first = first
    this.#streams = [first]
    this.#seed = seed
    this.sink = {
      frame: (memory, start, end) => sink.frame(memory, start, end),
      batchEnd: () => sink.batchEnd(),
      portState: () => {},
    }
  }

  get name(): string {
    return this.first.name
  }

  get counters(): PortCounters {
    return this.first.counters
  }

  get superFrames(): boolean {
    return this.first.superFrames
  }

  get maxFrame(): number {
    return this.first.maxFrame
  }

  get up(): boolean {
    return this.first.up
  }

  get streams(): readonly Stream[] {
    return this.#streams
  }

  /** Adds one that is up and counts in the same counters. @throws RangeError when there are as many as may be */
  add(stream: Stream): void {
    const count = this.#streams.length
    if (count === MOST_STREAMS) throw new RangeError(`a port has up to ${MOST_STREAMS} streams`)
    this.#salts[count] = Math.imul(++this.#lastSalt, 0x9e3779b1)
    this.#streams = [...this.#streams, stream]
  }

  /** Lets one go that was added, without closing it; what is queued in it is its own. */
  remove(stream: Stream): void {
    const index = this.#streams.indexOf(stream)
    if (index < 1) return
    this.#streams = this.#streams.filter((other) => other !== stream)
    this.#salts.copyWithin(index, index + 1)
  }

  send(memory: FrameMemory, start: number, end: number): void {
    if (this.#streams.length === 1) this.first.send(memory, start, end)
    else this.#streamOf(memory.bytes, start, end).send(memory, start, end)
  }

  flush(): void {
    const streams = this.#streams
    if (streams.length === 1) return this.first.flush()
    for (const stream of streams) stream.flush()
  }

  /** Closes all. */
  close(): void {
    for (const stream of this.#streams) stream.close()
    this.#streams = [this.first]
  }

  #streamOf(bytes: Uint8Array, start: number, end: number): Stream {
    const streams = this.#streams
    const flow = flowHash(bytes, start, end, this.#seed)
    let found = this.first
    let most = mix(flow, int32(this.#salts, 0))
    for (let i = 1; i < streams.length; i++) {
      const weight = mix(flow, int32(this.#salts, i))
      if (weight <= most) continue
      most = weight
      found = streams[i] ?? found
    }
    return found
  }
}

/** The finalizer of MurmurHash3 (A. Appleby): each bit of what goes in turns half of those that come out. */
function mix(flow: number, salt: number): number {
  let h = flow ^ salt
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
