/**
 * The process's end of the pipe to its `pcap` port, written and read without waiting for the event loop: `cap` does not
 * give it a turn while frames keep coming. Octets also come by events, when nothing is captured.
 */
import { readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { errnoOf } from '#net/base/unknown.ts'
import { RecordQueue } from '#net/port/pcap/record-queue.ts'

const QUEUE_OCTETS = 1 << 20
const READ_OCTETS = 64 << 10
/** Reads for one poll. */
const READS = 4
/** How long to wait before a full pipe is tried again. */
const FULL_MS = 1
/** Windows has no pipes that a read does not wait for: there octets come by events alone. */
const canPoll = process.platform !== 'win32'

export interface ChannelEvents {
  readonly onOctets: (chunk: Uint8Array, start: number, end: number) => void
  /** The other side is gone. */
  readonly onEnd: () => void
}

export class PcapChannel {
  readonly queue = new RecordQueue(QUEUE_OCTETS)
  readonly #fd: number
  readonly #events: ChannelEvents
  readonly #input = Buffer.allocUnsafeSlow(READ_OCTETS)
  /** What is under way is `leaving[head, leaving.length)`. */
  #leaving: Buffer = Buffer.alloc(0)
  #head = 0
  #isFull = false

  constructor(fd: number, events: ChannelEvents) {
    this.#fd = fd
    this.#events = events
    // Makes the descriptor non-blocking, too.
    const socket = new Socket({ fd, readable: true, writable: true })
    socket.on('data', (chunk: Buffer) => events.onOctets(chunk, 0, chunk.length))
    for (const event of ['end', 'error', 'close']) socket.on(event, events.onEnd)
  }

  /** Writes and reads as much as is possible now. */
  poll(): void {
    this.write()
    if (!canPoll) return
    for (let i = 0; i < READS; i++) {
      const count = this.#try(() => readSync(this.#fd, this.#input))
      if (count < 0) return
      if (count === 0) return this.#events.onEnd()
      this.#events.onOctets(this.#input, 0, count)
    }
  }

  write(): void {
    for (;;) {
      if (this.#head === this.#leaving.length) {
        if (this.queue.octets === 0) return
        this.#leaving = this.queue.take()
        this.#head = 0
      }
      const count = this.#try(() => writeSync(this.#fd, this.#leaving, this.#head))
      if (count < 0) break
      this.#head += count
    }
    if (this.#isFull) return
    this.#isFull = true
    setTimeout(() => {
      this.#isFull = false
      this.write()
    }, FULL_MS)
  }

  /** -1 when it would have to wait. */
  #try(call: () => number): number {
    try {
      return call()
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') this.#events.onEnd()
      return -1
    }
  }
}
