/**
 * Copies what some ports of a switch receive and send to another one. The copies wait for the end of the batch, as the
 * frames themselves may be changed before, and go out behind what the batch sends; more than fits is lost and counted
 * at the destination.
 */
import { ConfigError } from '#net/base/errors.ts'
import { DROP_BAD_OFFLOAD, DROP_QUEUE_FULL } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { wireFrames } from '#net/port/wire-count.ts'
import { FrameCopies } from '#net/switch/frame-copies.ts'
import { type FrameObserver, RECEIVED, SENT } from '#net/switch/observer.ts'
import type { SendQueue } from '#net/switch/send-queue.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'

/** Of one batch, all sources together. */
const COPY_OCTETS = 4 << 20
const MAX_FRAMES = 4096
const MAX_SOURCES = 64
const BOTH = (1 << RECEIVED) | (1 << SENT)

export interface MirrorSource {
  readonly port: number
  /** `1 << RECEIVED`, `1 << SENT` or both. */
  readonly directions: number
}

/** Reads `3+4`, `in:3+out:4` or `none`. @throws ConfigError */
export function parseMirror(text: string): MirrorSource[] {
  if (text === 'none') return []
  const sources = text.split('+').map((part): MirrorSource => {
    const [, direction, digits] = /^(?:(in|out):)?(\d{1,4})$/.exec(part) ?? []
    if (digits === undefined)
      throw new ConfigError(`mirror=${text} is not valid: it is none, or ports as 3+4, in:3 or out:4+out:5`)
    const directions = direction === undefined ? BOTH : 1 << (direction === 'in' ? RECEIVED : SENT)
    return { port: Number(digits), directions }
  })
  if (sources.length > MAX_SOURCES || new Set(sources.map(({ port }) => port)).size < sources.length)
    throw new ConfigError(`mirror=${text} is not valid: at most ${MAX_SOURCES} ports, each of them once`)
  return sources
}

/** The text that `parseMirror` reads. */
export function formatMirror(sources: readonly MirrorSource[]): string {
  const texts = sources.map(({ port, directions }) =>
    directions === BOTH ? String(port) : `${directions === 1 << RECEIVED ? 'in' : 'out'}:${port}`,
  )
  return texts.join('+') || 'none'
}

export class Mirror implements FrameObserver {
  readonly to: SwitchPort
  readonly sources: readonly MirrorSource[]
  private readonly directions: Uint8Array
  private readonly copies = new FrameCopies(FrameMemory.native(COPY_OCTETS))
  private readonly starts = new Int32Array(MAX_FRAMES)
  private readonly ends = new Int32Array(MAX_FRAMES)
  private count = 0

  /** @param to  the destination, none of the sources */
  constructor(to: SwitchPort, sources: readonly MirrorSource[]) {
    this.to = to
    this.sources = sources
    this.directions = new Uint8Array(Math.max(...sources.map(({ port }) => port)) + 1)
    for (const { port, directions } of sources) this.directions[port] = directions
  }

  frame(
    entry: SwitchPort,
    direction: number,
    reason: number,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void {
    if ((((this.directions[entry.number] ?? 0) >> direction) & 1) === 0) return
    // A frame that was not sent is none of the source's; one that it sent us is, unless it is malformed.
    if (reason >= 0 && (direction === SENT || reason <= DROP_BAD_OFFLOAD)) return
    if (this.count === MAX_FRAMES || !this.copies.hasRoom(end - start)) {
      this.to.counters.dropOut(DROP_QUEUE_FULL, wireFrames(memory.bytes, start, end))
      return
    }
    const at = this.copies.copy(memory, start, end)
    this.starts[this.count] = at
    this.ends[this.count++] = at + (end - start)
  }

  /** Queues the batch's copies; they may be overwritten after `done`. */
  sendTo(queue: SendQueue): void {
    for (let i = 0; i < this.count; i++) {
      queue.begin()
      queue.send(this.to, this.copies.memory, this.starts[i] ?? 0, this.ends[i] ?? 0)
    }
  }

  /** The batch is flushed. */
  done(): void {
    this.count = 0
    this.copies.reset()
  }

  /** Gives native memory back, between two batches. */
  close(): void {
    this.copies.memory.free()
  }
}
