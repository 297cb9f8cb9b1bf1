/**
 * Port kind `cable`: two ports of one process, joined. What is sent into one end comes out of the other in the next
 * phase of the event loop, so that a ring of switches is no recursion, and a storm in it leaves the others their turn.
 */
import { DROP_LINK_DOWN, DROP_QUEUE_FULL, type PortCounters } from '#net/port/counters.ts'
import { copyFrame, FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { type FrameSink, MAX_WIRE_FRAME, type Port } from '#net/port/port.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** What is under way in one direction, at most; beyond it frames are lost and counted. */
const OCTETS = 1 << 20
const FRAMES = 4096
const ROOM = TAG_ROOM + VIRTIO_HEADER_LEN

/** Whom an end belongs to: a switch's entry. */
interface CableSide extends FrameSink {
  readonly counters: PortCounters
}

/** @param names  of the two ends, for people */
export function layCable(
  names: readonly [string, string],
  a: CableSide,
  b: CableSide,
): readonly [CableEnd, CableEnd] {
  const ends = [new CableEnd(names[0], a), new CableEnd(names[1], b)] as const
  ends[0].far = ends[1]
  ends[1].far = ends[0]
  return ends
}

/** Frames that lie behind each other in one memory. */
class Filling {
  readonly memory = FrameMemory.native(OCTETS)
  readonly starts = new Int32Array(FRAMES)
  readonly ends = new Int32Array(FRAMES)
  frames = 0
  octets = 0
}

export class CableEnd implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames = true
  readonly maxFrame = MAX_WIRE_FRAME
  up = true
  far: CableEnd | null = null
  readonly #side: CableSide
  /** One is filled while the far end hands the other one on. */
  #filling: Filling | undefined
  #spare: Filling | undefined
  #delivery: NodeJS.Immediate | undefined
  #isClosed = false
  readonly #deliver = (): void => this.#handOn()

  constructor(name: string, side: CableSide) {
    this.name = name
    this.counters = side.counters
    this.#side = side
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const { counters } = this
    const frames = wireFrames(memory.bytes, start, end)
    const filling = (this.#filling ??= new Filling())
    const from = start - VIRTIO_HEADER_LEN
    const at = filling.octets + TAG_ROOM
    const next = at + end - from
    if (!this.up) counters.dropOut(DROP_LINK_DOWN, frames)
    else if (filling.frames === FRAMES || next > OCTETS) counters.dropOut(DROP_QUEUE_FULL, frames)
    else {
      copyFrame(memory, from, end, filling.memory, at)
      filling.starts[filling.frames] = filling.octets + ROOM
      filling.ends[filling.frames] = next
      filling.frames++
      filling.octets = next
      counters.outFrames += frames
      counters.outOctets += wireOctets(memory.bytes, start, end)
    }
  }

  flush(): void {
    if (this.#filling !== undefined && this.#filling.frames > 0)
      this.#delivery ??= setImmediate(this.#deliver)
  }

  /** Plugged in at both ends, or not: an end sees when the other one is pulled. */
  setUp(up: boolean, why: string): void {
    if (up === this.up || this.#isClosed) return
    this.up = up
    this.#side.portState(up, why)
  }

  close(): void {
    if (this.#isClosed) return
    this.setUp(false, 'cable is taken away')
    this.#isClosed = true
    clearImmediate(this.#delivery)
    this.#filling?.memory.free()
    this.#spare?.memory.free()
  }

  #handOn(): void {
    const filled = this.#filling
    const { far } = this
    this.#delivery = undefined
    if (filled === undefined || far === null || this.#isClosed) return
    this.#filling = this.#spare
    this.#spare = undefined
    far.#receive(filled)
    filled.frames = 0
    filled.octets = 0
    if (this.#isClosed) filled.memory.free()
    else this.#spare = filled
  }

  #receive(filled: Filling): void {
    const { bytes } = filled.memory
    const { counters } = this
    for (let i = 0; i < filled.frames; i++) {
      const start = filled.starts[i] ?? 0
      const end = filled.ends[i] ?? 0
      const frames = wireFrames(bytes, start, end)
      if (!this.up) {
        counters.dropIn(DROP_LINK_DOWN, frames)
        continue
      }
      counters.inFrames += frames
      counters.inOctets += wireOctets(bytes, start, end)
      this.#side.frame(filled.memory, start, end)
    }
    this.#side.batchEnd()
  }
}
