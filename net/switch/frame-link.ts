/** The link between a port and its switch, where it is more than a perfect wire: one direction of it. */
import type { FrameMemory } from '#net/port/frame-memory.ts'

export interface FrameLink {
  /** As the operator writes it: `delay=50ms,loss=1%`. */
  readonly text: string
  /** A frame enters; it is lent until this returns. Super-frames are cut. */
  enter(memory: FrameMemory, start: number, end: number): void
  /** Delivers at once what is under way, and takes no more. */
  close(): void
}

/** Where a link ends. */
export interface LinkEnd {
  /** A frame arrives; its memory stays as it is until `flush` returns, and may be changed meanwhile. */
  deliver(memory: FrameMemory, start: number, end: number): void
  /** After the last frame of those that arrive together. */
  flush(): void
  /** A wire frame is lost, by DROP_*. */
  drop(reason: number, memory: FrameMemory, start: number, end: number): void
}
