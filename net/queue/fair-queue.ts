/**
 * FQ-CoDel (RFC 8290): frames wait in the queue of their flow, flows take turns by octets (deficit round robin), those
 * that have nothing waiting go first when they come back, and CoDel keeps each flow's own wait short.
 *
 * Beyond `limit`, or three quarters of the memory, the flow that has most waiting loses its oldest frames. Frames are
 * copied in; nothing is allocated for one.
 */
import { DROP_DELAY, DROP_QUEUE_FULL, DROP_SHORT, DROP_TOO_BIG } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { MAX_SUPER_FRAME } from '#net/port/port.ts'
import { Backlogs } from '#net/queue/backlogs.ts'
import { Codel } from '#net/queue/codel.ts'
import { FrameLog, FULL, LOG_SLOTS } from '#net/queue/frame-log.ts'
import { markCongestion } from '#net/wire/ecn.ts'
import { flowHash } from '#net/wire/flow-hash.ts'
import { float64, int32 } from '#net/wire/octets.ts'

/** Queues that flows are hashed to (RFC 8290 §5.2). */
export const FLOWS = 1024
/** RFC 8290 §5.2. */
const TARGET_MS = 5
/** An Ethernet frame of 1500 octets of payload (RFC 8290 §5.2). */
const QUANTUM = 1514
const MAX_QUANTUM = 1 << 20
/** Memory made use of: this, or so many times the limit. The less there is, the warmer it stays. */
const LEAST_MEMORY = 256 << 10
const MEMORY_PER_LIMIT = 4
/** With more than this it is as little as holds the limit. */
const MUCH_MEMORY = 2 << 20
/** Holds a longest super-frame. */
const LEAST_CAPACITY = 128 << 10
/** Frames that a flow loses at once, unless half of what it has is less (RFC 8290 §4.1); super-frames: as many octets. */
const BATCH = 64
const BATCH_OCTETS = BATCH * QUANTUM

/** Lists of flows that may send (RFC 8290 §4.2). */
const NEW = 0
const OLD = 1
const NONE = -1

export interface FairQueueOptions {
  /** Octets of native memory, at least 128 KiB; backed by pages as they are used. */
  readonly capacity: number
  /** 32 bits that no stranger knows. */
  readonly seed: number
  /** A frame is dropped, by DROP_*; its memory is lent, and may not be given back to the queue meanwhile. */
  onDrop(reason: number, memory: FrameMemory, start: number, end: number): void
}

export class FairQueue {
  /** What waits: octets of frames without virtio headers, and frames. */
  octets = 0
  frames = 0
  /** Frames marked instead of dropped (ECN). */
  marked = 0.5
  /** End of the frame that `dequeue` gave. */
  end = 0
  /** Wait of a flow's frames that is let be, ms: at least the time that a longest frame takes on the path. */
  targetMs = 0.5
  readonly #codel = new Codel(FLOWS)
  readonly #seed: number
  readonly #onDrop: FairQueueOptions['onDrop']
  readonly #log: FrameLog
  readonly #capacity: number
  #limit = 0
  #quantum = QUANTUM

  // Frames of a flow, by slot of the log: oldest, newest, the one behind a frame.
  readonly #oldest = new Int32Array(FLOWS).fill(NONE)
  readonly #newest = new Int32Array(FLOWS)
  readonly #behind = new Int32Array(LOG_SLOTS)
  readonly #backlogs = new Backlogs(FLOWS)

  /** Octets that a flow may still send in this round; what it sent beyond them is taken from the next ones. */
  readonly #deficits = new Int32Array(FLOWS)
  // Flows of the two lists: first, last, the one after a flow. A flow is in one list or in none.
  readonly #firstFlow = new Int32Array(2).fill(NONE)
  readonly #lastFlow = new Int32Array(2)
  readonly #nextFlow = new Int32Array(FLOWS)
  readonly #isListed = new Uint8Array(FLOWS)

  constructor(options: FairQueueOptions) {
    if (options.capacity < LEAST_CAPACITY) {
      throw new RangeError(`a queue has at least ${LEAST_CAPACITY} octets of memory, not ${options.capacity}`)
    }
    this.#log = new FrameLog(options.capacity)
    this.#capacity = options.capacity
    this.#seed = options.seed
    this.#onDrop = (reason, memory, start, end) => options.onDrop(reason, memory, start, end)
    this.limit = options.capacity
    this.marked = 0
    this.targetMs = TARGET_MS
  }

  /** Where `dequeue` gives frames. */
  get memory(): FrameMemory {
    return this.#log.memory
  }

  get isEmpty(): boolean {
    return this.frames === 0
  }

  /** Octets that may wait; a longer frame may when it is alone. Holds from the next frame on. @throws RangeError for NaN */
  get limit(): number {
    return this.#limit
  }

  set limit(octets: number) {
    if (Number.isNaN(octets)) throw new RangeError('the limit of a queue is not a number')
    this.#limit = octets
    const memory = Math.min(MEMORY_PER_LIMIT * octets, Math.max(MUCH_MEMORY, Math.ceil(octets / FULL)))
    this.#log.bound = Math.min(this.#capacity, Math.max(LEAST_MEMORY, memory))
  }

  /** Time for which a wait beyond the target is let be, ms: a long round trip. Default 100. */
  get intervalMs(): number {
    return this.#codel.intervalMs
  }

  set intervalMs(ms: number) {
    this.#codel.intervalMs = ms
  }

  /** Octets that a flow sends before it is another one's turn. @throws RangeError when not 1 to 1 048 576 */
  get quantum(): number {
    return this.#quantum
  }

  set quantum(octets: number) {
    if (!(octets >= 1 && octets <= MAX_QUANTUM)) {
      throw new RangeError(`a quantum has 1 to ${MAX_QUANTUM} octets, not ${octets}`)
    }
    this.#quantum = octets
  }

  /** Copies the frame in, with its virtio header. Others, or it, may be dropped for it. @param now  ms */
  enqueue(memory: FrameMemory, start: number, end: number, now: number): void {
    const length = end - start
    if (length < 1) return this.#onDrop(DROP_SHORT, memory, start, end)
    if (length > MAX_SUPER_FRAME) return this.#onDrop(DROP_TOO_BIG, memory, start, end)
    const log = this.#log
    const flow = flowHash(memory.bytes, start, end, this.#seed) & (FLOWS - 1)
    while (!log.hasRoom(length)) this.#dropBatch(this.#backlogs.fattest())
    if (log.isAtEnd(length)) this.#compact()
    this.#link(flow, log.append(memory, start, end, flow, now))
    this.#backlogs.add(flow, length)
    this.octets += length
    this.frames++
    if (this.#isListed[flow] === 0) {
      this.#isListed[flow] = 1
      this.#deficits[flow] = this.#quantum
      this.#list(NEW, flow)
    }
    while (this.octets > this.#limit && this.frames > 1) this.#dropBatch(this.#backlogs.fattest())
  }

  /**
   * Takes the frame whose turn it is: `memory.bytes[start, this.end)`, its virtio header before it, lent until the next
   * call. @returns its start, -1 when nothing waits
   */
  dequeue(now: number): number {
    while (this.frames > 0) {
      const list = int32(this.#firstFlow, NEW) === NONE ? OLD : NEW
      const flow = int32(this.#firstFlow, list)
      if (int32(this.#deficits, flow) <= 0) {
        this.#deficits[flow] = int32(this.#deficits, flow) + this.#quantum
        this.#unlist(list)
        this.#list(OLD, flow)
        continue
      }
      const slot = this.#serve(flow, now)
      if (slot !== NONE) {
        const start = int32(this.#log.starts, slot)
        this.end = int32(this.#log.ends, slot)
        this.#deficits[flow] = int32(this.#deficits, flow) - (this.end - start)
        return start
      }
      // A new flow that is empty waits for its turn among the old ones first: else it could hold them up for ever by
      // sending one frame at a time (RFC 8290 §4.2).
      this.#unlist(list)
      if (list === NEW) this.#list(OLD, flow)
      else this.#isListed[flow] = 0
    }
    this.#unlistAll()
    return -1
  }

  /** Drops everything, flow by flow, for one reason. */
  clear(reason: number): void {
    for (let flow = 0; flow < FLOWS; flow++) {
      while (int32(this.#oldest, flow) !== NONE) this.#drop(flow, reason)
    }
    this.#unlistAll()
  }

  /** Gives the memory back; the queue is of no use afterwards, nor is a frame that it gave. */
  free(): void {
    this.#log.free()
  }

  /** @returns slot of the flow's next frame that may go, `NONE` when it has none */
  #serve(flow: number, now: number): number {
    const log = this.#log
    const b = log.memory.bytes
    while (int32(this.#oldest, flow) !== NONE) {
      const slot = this.#take(flow)
      const start = int32(log.starts, slot)
      const end = int32(log.ends, slot)
      const isLate =
        now - float64(log.times, slot) >= this.targetMs &&
        this.#backlogs.of(flow) > Math.max(end - start, QUANTUM)
      if (!this.#codel.mustDrop(flow, isLate, now)) return slot
      if (markCongestion(b, start, end)) {
        this.marked++
        return slot
      }
      this.#onDrop(DROP_DELAY, log.memory, start, end)
    }
    return NONE
  }

  /** Drops half of the flow's octets, at least one frame and at most `BATCH`, or `BATCH_OCTETS` and what one has beyond. */
  #dropBatch(flow: number): void {
    const backlog = this.#backlogs.of(flow)
    const rest = Math.max(backlog / 2, backlog - BATCH_OCTETS)
    for (let i = 0; i < BATCH && this.#backlogs.of(flow) > rest; i++) this.#drop(flow, DROP_QUEUE_FULL)
  }

  /** Drops the flow's oldest frame. */
  #drop(flow: number, reason: number): void {
    const slot = this.#take(flow)
    if (int32(this.#oldest, flow) === NONE) this.#codel.emptied(flow)
    this.#onDrop(reason, this.#log.memory, int32(this.#log.starts, slot), int32(this.#log.ends, slot))
  }

  /** Takes the flow's oldest frame out. @returns its slot */
  #take(flow: number): number {
    const log = this.#log
    const slot = int32(this.#oldest, flow)
    const length = int32(log.ends, slot) - int32(log.starts, slot)
    this.#oldest[flow] = int32(this.#behind, slot)
    this.#backlogs.take(flow, length)
    this.octets -= length
    this.frames--
    log.release(slot)
    return slot
  }

  /** Puts a frame behind the others of its flow. */
  #link(flow: number, slot: number): void {
    if (int32(this.#oldest, flow) === NONE) this.#oldest[flow] = slot
    else this.#behind[int32(this.#newest, flow)] = slot
    this.#newest[flow] = slot
    this.#behind[slot] = NONE
  }

  /** Makes the log's free memory usable; every frame has a new slot then. */
  #compact(): void {
    const log = this.#log
    log.compact()
    this.#oldest.fill(NONE)
    for (let slot = 0; slot < log.slots; slot++) this.#link(int32(log.flows, slot), slot)
  }

  /** Puts a flow at the end of a list. */
  #list(list: number, flow: number): void {
    if (int32(this.#firstFlow, list) === NONE) this.#firstFlow[list] = flow
    else this.#nextFlow[int32(this.#lastFlow, list)] = flow
    this.#lastFlow[list] = flow
    this.#nextFlow[flow] = NONE
  }

  /** Takes the first flow off a list. */
  #unlist(list: number): void {
    this.#firstFlow[list] = int32(this.#nextFlow, int32(this.#firstFlow, list))
  }

  #unlistAll(): void {
    for (let list = NEW; list <= OLD; list++) {
      for (let flow = int32(this.#firstFlow, list); flow !== NONE; flow = int32(this.#firstFlow, list)) {
        this.#isListed[flow] = 0
        this.#unlist(list)
      }
    }
  }
}
