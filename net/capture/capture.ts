/**
 * A capture of one port, or of all ports of a switch: writes what it is shown as pcapng blocks into a ring. When the
 * ring is full, or the work allowed is done, packets are lost and counted; the switch never waits. Super-frames are written as the wire frames that
 * they stand for, checksums finished: what a capture on the wire would show.
 */
import type { Filter } from '#net/capture/filter.ts'
import { Ring } from '#net/capture/ring.ts'
import {
  commentOption,
  INBOUND,
  interfaceDescription,
  interfaceStatistics,
  OUTBOUND,
  PACKET_START,
  packetBlockLength,
  putPacketEnd,
  putPacketStart,
  sectionHeader,
} from '#net/pcapng/blocks.ts'
import { DROP_BAD_OFFLOAD, DROP_LINK_DOWN, DROP_REASON_COUNT, dropReasonName } from '#net/port/counters.ts'
import { Finisher, MIN_SCRATCH } from '#net/port/finish.ts'
import { copyFrame, FrameMemory } from '#net/port/frame-memory.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { type FrameObserver, RECEIVED } from '#net/switch/observer.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'
import { float64 } from '#net/wire/octets.ts'
import { isPlain } from '#net/wire/virtio.ts'

/** Interfaces of one capture: entries that came and went count as well. */
const MAX_INTERFACES = 4096
/** What a packet costs beside its octets, as octets. */
const PACKET_COST = 256
const MOST_OVERHEAD = packetBlockLength(0, null) + 64

const COMMENTS = Array.from({ length: DROP_REASON_COUNT }, (_, reason) =>
  commentOption(`dropped: ${dropReasonName(reason)}`),
)

/**
 * Of the switch: `in` is what it received. `once` shows each frame one time: as it was received, and where it was lost
 * on its way out, except that a port is down.
 */
export const DIRECTIONS = ['in', 'out', 'both', 'once'] as const
type CaptureDirection = (typeof DIRECTIONS)[number]

export interface CaptureOptions {
  /** Of the switch; its port 3 is the interface `NAME/3`. */
  readonly name: string
  readonly direction: CaptureDirection
  /** Frames that went no further, and no others. */
  readonly onlyDrops: boolean
  readonly filter: Filter | null
  /** Octets kept of each packet. */
  readonly snapLength: number
  /** Packets after which it ends; 0: none. */
  readonly count: number
  /** Puts microseconds since 1970 into an array. */
  readonly clock: (timeUs: Float64Array) => void
  /** Something was added to the ring, or the capture has ended. */
  readonly onChange: () => void
}

/** Where a capture's blocks go. */
export interface BlockRing {
  readonly memory: FrameMemory
  /** Takes room for a block, to be written at once. @returns its place in the memory, -1 when there is none */
  add(octets: number): number
  /** Whether blocks of so many octets in all find room. */
  hasRoom(octets: number): boolean
  /** Adds a block that the file cannot be read without: its header, an interface. @returns false: no room now */
  describe(block: Uint8Array): boolean
}

interface CapturedInterface {
  /** In the file; -1: its description found no room in the ring yet. */
  number: number
  readonly description: Uint8Array
  readonly entry: SwitchPort
  /** Packets that were to be captured, and those of them that were lost. */
  readonly counts: Float64Array
}
const WANTED = 0
const LOST = 1

export class RingCapture<R extends BlockRing> implements FrameObserver {
  readonly ring: R
  /** No more is written; statistics may be taken. */
  isEnded = false
  private readonly options: CaptureOptions
  private readonly interfaces: CapturedInterface[] = []
  /** Those of them that have a number. */
  private named = 0
  /** By number of the entry, the last one that was captured. */
  private readonly byEntry: (CapturedInterface | undefined)[] = []
  /** Packets until it ends; 0: any number. */
  private left: number
  /** Octets that may still be worked on. */
  private allowance = 0
  private readonly timeUs = new Float64Array(1)
  /** There when it was needed once. */
  private finisher: Finisher | null = null

  /** @param ring  the capture's alone, with its memory */
  constructor(options: CaptureOptions, ring: R) {
    this.options = options
    this.left = options.count
    this.ring = ring
    ring.describe(sectionHeader('hybridge'))
  }

  /**
   * Sets how much work may be done until this is called again: octets that are copied, or cut from super-frames, which
   * takes about 1 ns each.
   */
  allow(octets: number): void {
    this.allowance = octets
  }

  /** Names an entry in the file although it has said nothing yet. */
  introduce(entry: SwitchPort): void {
    this.interfaceOf(entry)
  }

  frame(
    entry: SwitchPort,
    direction: number,
    reason: number,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void {
    if (this.isEnded || !this.isWanted(direction, reason)) return
    const b = memory.bytes
    const { filter } = this.options
    if (filter !== null && !filter.matches(b, start, end)) return
    const from = this.interfaceOf(entry)
    if (from === null) return
    const side = direction === RECEIVED ? INBOUND : OUTBOUND
    // What cannot be true is shown as it is.
    const isMalformed = reason >= 0 && reason <= DROP_BAD_OFFLOAD
    const isWhole = isMalformed || isPlain(b, start)
    if (this.allowance <= 0 || !this.isNamed(from)) lose(from, isWhole ? 1 : wireFrames(b, start, end))
    else if (isWhole) this.write(from, side, reason, memory, start, end)
    else this.writeFinished(from, side, reason, memory, start, end)
    this.options.onChange()
  }

  /** Ends it: what is in the ring may still be read. */
  end(): void {
    if (this.isEnded) return
    this.isEnded = true
    this.options.onChange()
  }

  /**
   * The blocks that end the file, a statistics block for each interface.
   * @param missed  packets that this reader lost beside, of any interface
   */
  statistics(missed = 0): Uint8Array {
    this.options.clock(this.timeUs)
    const timeUs = float64(this.timeUs, 0)
    let unnamed = this.named
    const blocks = this.interfaces.flatMap(({ number, description, counts }, i) => {
      const statistics = interfaceStatistics({
        interfaceNumber: number < 0 ? unnamed++ : number,
        timeUs,
        received: float64(counts, WANTED),
        dropped: float64(counts, LOST) + (i === 0 ? missed : 0),
      })
      return number < 0 ? [description, statistics] : [statistics]
    })
    return Uint8Array.from(blocks.flatMap((block) => [...block]))
  }

  /** Packets that were to be captured and are not. */
  get lost(): number {
    return this.interfaces.reduce((sum, { counts }) => sum + float64(counts, LOST), 0)
  }

  /** Packets that are in the ring, or were. */
  get packets(): number {
    return this.interfaces.reduce((sum, { counts }) => sum + float64(counts, WANTED), 0) - this.lost
  }

  /** Gives native memory back. */
  free(): void {
    this.ring.memory.free()
    this.finisher?.memory.free()
  }

  private isWanted(direction: number, reason: number): boolean {
    const { direction: wanted, onlyDrops } = this.options
    if (onlyDrops && reason < 0) return false
    if (wanted === 'both') return true
    const isReceived = direction === RECEIVED
    if (wanted === 'once') return isReceived || (reason >= 0 && reason !== DROP_LINK_DOWN)
    return isReceived === (wanted === 'in')
  }

  private interfaceOf(entry: SwitchPort): CapturedInterface | null {
    const known = this.byEntry[entry.number]
    // The number may have become another port's.
    if (known !== undefined && known.entry === entry) return known
    if (this.interfaces.length === MAX_INTERFACES) return null
    const { name, snapLength } = this.options
    const description = entry.port === null ? entry.description : entry.port.name
    const block = interfaceDescription({ name: `${name}/${entry.number}`, description, snapLength })
    const added = { number: -1, description: block, entry, counts: new Float64Array(2) }
    this.interfaces.push(added)
    this.byEntry[entry.number] = added
    this.isNamed(added)
    return added
  }

  /** Describes an interface in the file before its first packet. @returns false while there is no room for that */
  private isNamed(from: CapturedInterface): boolean {
    if (from.number < 0 && this.ring.describe(from.description)) from.number = this.named++
    return from.number >= 0
  }

  private writeFinished(
    from: CapturedInterface,
    side: number,
    reason: number,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void {
    const b = memory.bytes
    const frames = wireFrames(b, start, end)
    // A reader that is too slow costs no cutting.
    const octets = Math.min(wireOctets(b, start, end), frames * this.options.snapLength)
    if (!this.ring.hasRoom(octets + frames * MOST_OVERHEAD)) return lose(from, frames)
    const finisher = (this.finisher ??= new Finisher(FrameMemory.native(MIN_SCRATCH)))
    finisher.reset()
    this.allowance -= end - start
    if (finisher.finish(memory, start, end) <= 0) this.write(from, side, reason, memory, start, end)
    for (let i = 0; i < finisher.count; i++) {
      this.write(from, side, reason, finisher.memory, finisher.starts[i] ?? 0, finisher.ends[i] ?? 0)
    }
  }

  private write(
    from: CapturedInterface,
    side: number,
    reason: number,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void {
    if (this.isEnded) return
    const captured = Math.min(end - start, this.options.snapLength)
    const comment = reason < 0 ? null : (COMMENTS[reason] ?? null)
    const total = packetBlockLength(captured, comment)
    const { ring } = this
    const at = ring.add(total)
    if (at < 0) return lose(from, 1)
    this.allowance -= PACKET_COST + captured
    const b = ring.memory.bytes
    this.options.clock(this.timeUs)
    putPacketStart(b, at, total, from.number, this.timeUs, captured, end - start)
    copyFrame(memory, start, start + captured, ring.memory, at + PACKET_START)
    putPacketEnd(b, at, total, captured, side, comment)
    from.counts[WANTED] = float64(from.counts, WANTED) + 1
    if (this.left > 0 && --this.left === 0) this.isEnded = true
  }
}

/** A capture for one reader that is there from its beginning. */
export class Capture extends RingCapture<Ring> {
  /** @param options  `octets` is the size of the ring */
  constructor(options: CaptureOptions & { readonly octets: number }) {
    super(options, new Ring(FrameMemory.native(options.octets)))
  }
}

function lose(from: CapturedInterface, packets: number): void {
  from.counts[WANTED] = float64(from.counts, WANTED) + packets
  from.counts[LOST] = float64(from.counts, LOST) + packets
}
