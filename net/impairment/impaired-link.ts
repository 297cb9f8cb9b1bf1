/**
 * One direction of an impaired link: frames enter, wait as copies for what the model says, and are delivered at their
 * time or later, never before it. What neither waits nor changes passes by reference, while no other frame waits.
 */
import { DROP_BAD_OFFLOAD, DROP_LOSS, DROP_QUEUE_FULL, DROP_RATE } from '#net/port/counters.ts'
import { Finisher, MIN_SCRATCH } from '#net/port/finish.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameLink, LinkEnd } from '#net/switch/frame-link.ts'
import { isPlain } from '#net/wire/virtio.ts'
import { DeadlineQueue } from '#net/impairment/deadline-queue.ts'
import { formatImpairment } from '#net/impairment/impairment-text.ts'
import type { Impairment } from '#net/impairment/impairment.ts'
import { LinkModel } from '#net/impairment/link-model.ts'
import type { LinkSchedule } from '#net/impairment/link-schedule.ts'

export interface ImpairedLinkOptions {
  readonly impairment: Impairment & { readonly seed: number }
  /** Tells the random numbers of the two directions apart. */
  readonly stream: number
  readonly end: LinkEnd
  readonly schedule: LinkSchedule
}

export class ImpairedLink implements FrameLink {
  readonly text: string
  private readonly model: LinkModel
  private readonly end: LinkEnd
  private readonly schedule: LinkSchedule
  private readonly queue = new DeadlineQueue()
  /** There when a super-frame came once. */
  private finisher: Finisher | null = null

  constructor({ impairment, stream, end, schedule }: ImpairedLinkOptions) {
    this.text = formatImpairment(impairment)
    this.model = new LinkModel(impairment, impairment.seed, stream)
    this.end = end
    this.schedule = schedule
    schedule.add(this)
  }

  /** When the next frame is to be delivered, Infinity when none waits. */
  get deadline(): number {
    return this.queue.deadline
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.queue.size
  }

  /** Octets of native memory that are held for those that wait. */
  get octets(): number {
    return this.queue.octets
  }

  enter(memory: FrameMemory, start: number, end: number): void {
    const now = this.schedule.now()
    const before = this.queue.deadline
    if (isPlain(memory.bytes, start)) this.enterWire(memory, start, end, now, true)
    else this.enterSuper(memory, start, end, now)
    if (this.queue.deadline < before) this.schedule.wake(this.queue.deadline)
  }

  /** Delivers what is due. */
  release(now: number): void {
    while (this.queue.size > 0 && this.queue.deadline <= now) this.deliverNext()
    this.end.flush()
    this.queue.recycle()
  }

  close(): void {
    this.schedule.remove(this)
    this.release(Infinity)
    this.queue.free()
    this.finisher?.memory.free()
    this.finisher = null
  }

  private deliverNext(): void {
    this.queue.take()
    const { memory, start, end } = this.queue
    if (memory !== null) this.end.deliver(memory, start, end)
  }

  private enterSuper(memory: FrameMemory, start: number, end: number, now: number): void {
    const finisher = (this.finisher ??= new Finisher(FrameMemory.native(MIN_SCRATCH)))
    const frames = finisher.finish(memory, start, end)
    if (frames <= 0) this.end.drop(DROP_BAD_OFFLOAD, memory, start, end)
    for (let i = 0; i < frames; i++)
      this.enterWire(finisher.memory, finisher.starts[i] ?? 0, finisher.ends[i] ?? 0, now, false)
    finisher.reset()
  }

  /** @param isLasting  the frame's memory stays as it is until the switch flushes its ports */
  private enterWire(memory: FrameMemory, start: number, end: number, now: number, isLasting: boolean): void {
    const { model, queue } = this
    const arrivals = model.arrivals()
    if (arrivals === 0) this.end.drop(DROP_LOSS, memory, start, end)
    for (let i = 0; i < arrivals; i++) {
      const isPassed = isLasting && i === arrivals - 1
      if (!model.schedule(end - start, now)) this.end.drop(DROP_RATE, memory, start, end)
      else if (isPassed && model.deliverAt <= now && model.bit < 0 && queue.size === 0) {
        this.end.deliver(memory, start, end)
      } else if (!queue.add(memory, start, end, model)) {
        this.end.drop(DROP_QUEUE_FULL, memory, start, end)
      }
    }
  }
}
