/** A switch port for the hub's host in a management network (management-host.ts): in this process, without a socket. */
import { DROP_QUEUE_FULL, type PortCounters } from '#net/port/counters.ts'
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { type FrameSink, MAX_WIRE_FRAME, type Port } from '#net/port/port.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import type { ManagementHost } from '#hub/fabric/management-host.ts'

/** Answers that wait for the end of the switch's batch. */
const MAX_QUEUE = 512
const ROOM = TAG_ROOM + VIRTIO_HEADER_LEN

export class ManagementPort implements Port {
  readonly name = 'dhcp'
  readonly counters: PortCounters
  readonly superFrames = false
  readonly maxFrame = MAX_WIRE_FRAME
  up = true
  readonly #host: ManagementHost
  readonly #sink: FrameSink
  readonly #memory = new FrameMemory(new Uint8Array(ROOM + MAX_WIRE_FRAME))
  #queue: Uint8Array[] = []
  #answerSoon: NodeJS.Immediate | undefined

  constructor(host: ManagementHost, counters: PortCounters, sink: FrameSink) {
    this.#host = host
    this.counters = counters
    this.#sink = sink
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const { counters } = this
    counters.outFrames++
    counters.outOctets += end - start
    const answer = this.#host.answer(memory.bytes, start, end)
    const { dropped } = this.#host
    if (dropped >= 0) counters.dropOut(dropped, 1)
    if (answer === null) return
    if (this.#queue.length < MAX_QUEUE) this.#queue.push(answer)
    else counters.dropOut(DROP_QUEUE_FULL, 1)
    // The switch is in the middle of a batch.
    this.#answerSoon ??= setImmediate(() => this.#deliver())
  }

  flush(): void {}

  close(): void {
    this.up = false
    clearImmediate(this.#answerSoon)
    this.#queue = []
  }

  #deliver(): void {
    this.#answerSoon = undefined
    const answers = this.#queue
    this.#queue = []
    const { bytes } = this.#memory
    for (const answer of answers) {
      bytes.fill(0, TAG_ROOM, ROOM)
      bytes.set(answer, ROOM)
      this.counters.inFrames++
      this.counters.inOctets += answer.length
      this.#sink.frame(this.#memory, ROOM, ROOM + answer.length)
      this.#sink.batchEnd()
    }
  }
}
