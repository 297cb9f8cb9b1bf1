/**
 * The way out of a switch: hands frames to the entries' ports, finished where a port carries wire frames only, and
 * flushes the ports that have something queued. Holds the memory of frames that are not where they came from.
 */
import { DROP_BAD_OFFLOAD, DROP_LINK_DOWN, DROP_TOO_BIG } from '#net/port/counters.ts'
import { Finisher } from '#net/port/finish.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { Port } from '#net/port/port.ts'
import { longestWireFrame, wireFrames } from '#net/port/wire-count.ts'
import { FrameCopies } from '#net/switch/frame-copies.ts'
import { SENT } from '#net/switch/observer.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'
import { isPlain } from '#net/wire/virtio.ts'

const SCRATCH_OCTETS = 1 << 20
const NOT_FINISHED = -1

export class SendQueue {
  /** The first `count` have frames queued in their ports. */
  private readonly entries: SwitchPort[] = []
  private count = 0
  // Native memory, there when it was needed once.
  private copies: FrameCopies | null = null
  private finisher: Finisher | null = null
  /** How many of the finisher's last frames the frame being sent was cut into; 0: it is malformed. */
  private finished = NOT_FINISHED

  /** The `send`s that follow are of one frame, in one form. */
  begin(): void {
    this.finished = NOT_FINISHED
  }

  /** Sends a frame to an entry, through the link before its port if there is one, or counts why not. */
  send(to: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    const port = to.port
    // Most frames; what is rare is elsewhere, so that V8 inlines this.
    if (
      to.outLink === null &&
      to.observer === null &&
      port !== null &&
      port.up &&
      !to.isLinkDown &&
      end - start <= port.maxFrame &&
      (port.superFrames || isPlain(memory.bytes, start))
    ) {
      port.send(memory, start, end)
      if (!to.isQueued) this.mark(to)
    } else if (to.outLink !== null && to.isUp) to.outLink.enter(memory, start, end)
    else this.deliver(to, memory, start, end)
  }

  /** Queues a frame in an entry's port, or counts why not. */
  deliver(to: SwitchPort, memory: FrameMemory, start: number, end: number): void {
    const port = to.port
    const b = memory.bytes
    if (port === null || !to.isUp) this.drop(to, DROP_LINK_DOWN, memory, start, end)
    else if (!port.superFrames && !isPlain(b, start)) this.sendFinished(to, port, memory, start, end)
    else if (end - start > port.maxFrame && longestWireFrame(b, start, end) > port.maxFrame) {
      this.drop(to, DROP_TOO_BIG, memory, start, end)
    } else this.hand(to, port, memory, start, end)
  }

  /** Where to copy a frame of so many octets to; what is queued may be flushed for that. */
  roomForCopy(octets: number): FrameCopies {
    const copies = (this.copies ??= new FrameCopies(FrameMemory.native(SCRATCH_OCTETS)))
    if (!copies.hasRoom(octets)) {
      this.flushPorts()
      copies.reset()
    }
    return copies
  }

  /** Flushes each port that has something queued; copies and finished frames end with it. */
  flush(): void {
    this.flushPorts()
    if (this.copies !== null) this.copies.reset()
    if (this.finisher !== null) this.finisher.reset()
  }

  /** Gives native memory back. */
  close(): void {
    this.copies?.memory.free()
    this.finisher?.memory.free()
    this.copies = null
    this.finisher = null
  }

  private sendFinished(to: SwitchPort, port: Port, memory: FrameMemory, start: number, end: number): void {
    const finisher = (this.finisher ??= new Finisher(FrameMemory.native(SCRATCH_OCTETS)))
    if (this.finished === NOT_FINISHED) this.finished = this.finish(finisher, memory, start, end)
    if (this.finished === 0) this.drop(to, DROP_BAD_OFFLOAD, memory, start, end)
    for (let i = finisher.count - this.finished; i < finisher.count; i++) {
      const from = finisher.starts[i] ?? 0
      const until = finisher.ends[i] ?? 0
      if (until - from > port.maxFrame) this.drop(to, DROP_TOO_BIG, finisher.memory, from, until)
      else this.hand(to, port, finisher.memory, from, until)
    }
  }

  private finish(finisher: Finisher, memory: FrameMemory, start: number, end: number): number {
    let frames = finisher.finish(memory, start, end)
    if (frames === 0) {
      // No copy may go: the frame may be one, queued elsewhere after this.
      this.flushPorts()
      finisher.reset()
      frames = finisher.finish(memory, start, end)
    }
    return Math.max(0, frames)
  }

  private drop(to: SwitchPort, reason: number, memory: FrameMemory, start: number, end: number): void {
    if (to.observer !== null) to.observer.frame(to, SENT, reason, memory, start, end)
    const frames = wireFrames(memory.bytes, start, end)
    if (reason === DROP_TOO_BIG) to.counters.dropTooBig(frames, longestWireFrame(memory.bytes, start, end))
    else to.counters.dropOut(reason, frames)
  }

  private hand(to: SwitchPort, port: Port, memory: FrameMemory, start: number, end: number): void {
    if (to.observer !== null) to.observer.frame(to, SENT, -1, memory, start, end)
    port.send(memory, start, end)
    if (!to.isQueued) this.mark(to)
  }

  private mark(entry: SwitchPort): void {
    entry.isQueued = true
    this.entries[this.count++] = entry
  }

  private flushPorts(): void {
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i]
      if (entry === undefined) continue
      entry.isQueued = false
      if (entry.port !== null) entry.port.flush()
    }
    this.count = 0
  }
}
