/**
 * Port kind `stream`: frames as records (net/tunnel/framing.ts) on a connected unix stream socket, read into native
 * memory and written from where the frames lie, with no JavaScript buffers between. Joins a fabric to a gateway.
 */
import * as libc from '#net/port/libc.ts'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { DROP_LINK_DOWN, DROP_QUEUE_FULL, DROP_TOO_BIG, type PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import { copyFrame, FrameMemory } from '#net/port/frame-memory.ts'
import { GatherBatch } from '#net/port/message-batch.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { READABLE, Watcher, WRITABLE } from '#net/port/reactor.ts'
import { wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { countDrops } from '#net/port/tunnel/drops.ts'
import { byeRecord } from '#net/tunnel/bye.ts'
import {
  MAX_FRAME_PAYLOAD,
  putRecordHeader,
  RECORD_DROPS,
  RECORD_FRAME,
  RECORD_HEADER_LEN,
} from '#net/tunnel/framing.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** Octets that wait while the socket takes nothing; frames beyond are lost and counted. */
const QUEUE_OCTETS = 1 << 20
const SOCKET_BUFFER = 1 << 20
/** Reads for one readiness: the other ports get their turn after as many. */
const ROUNDS = 4
/** How long the last word waits for a far side that does not read. */
const END_TIMEOUT_MS = 10_000

export interface StreamSocketOptions {
  readonly name: string
  /** A connected, non-blocking stream socket; the port owns it from now on. */
  readonly fd: number
  readonly superFrames: boolean
  readonly maxFrame: number
  readonly counters: PortCounters
  readonly sink: FrameSink
  /** The far side closed, or broke the framing; the port is down and is to be closed. */
  readonly onEnd: (why: string) => void
}

export class StreamSocketPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames: boolean
  readonly maxFrame: number
  up = true
  /** To the agent, as the gateway measured it last. */
  roundTripMs: number | undefined
  readonly #fd: number
  readonly #sink: FrameSink
  readonly #onEnd: (why: string) => void
  readonly #watcher: Watcher
  readonly #assembler: FrameAssembler
  readonly #out = new GatherBatch(RECORD_HEADER_LEN)
  /** What the socket did not take, in order; while there is some, everything goes through here. */
  #waiting: FrameMemory | undefined
  #waitingFrom = 0
  #waitingTo = 0
  #closed = false
  /** Set while the last word waits to be read. */
  #ending: NodeJS.Timeout | undefined

  constructor(options: StreamSocketOptions) {
    this.name = options.name
    this.counters = options.counters
    this.superFrames = options.superFrames
    this.maxFrame = options.maxFrame
    this.#fd = options.fd
    this.#sink = options.sink
    this.#onEnd = options.onEnd
    this.#assembler = new FrameAssembler(options.counters, options.sink, (type, payload) => {
      if (type !== RECORD_DROPS)
        throw new ProtocolError('malformed', `a record of type ${type} has no place here`)
      this.roundTripMs = countDrops(payload, options.counters) ?? this.roundTripMs
    })
    libc.setBuffer(this.#fd, libc.SO_SNDBUFFORCE, libc.SO_SNDBUF, SOCKET_BUFFER)
    this.#watcher = new Watcher(this.#fd, (events, failed) => this.#ready(events, failed))
    this.#watcher.watch(READABLE)
    this.#sink.portState(true, 'connected')
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const counters = this.counters
    const octets = memory.bytes
    const frames = wireFrames(octets, start, end)
    const payload = end - start + VIRTIO_HEADER_LEN
    let reason = -1
    if (!this.up) reason = DROP_LINK_DOWN
    else if (payload > MAX_FRAME_PAYLOAD) reason = DROP_TOO_BIG
    else if (this.#waitingTo > 0 || memory.address === 0) {
      // What is queued by reference goes first.
      this.flush()
      if (!this.#wait(memory, start - VIRTIO_HEADER_LEN, end, true)) reason = DROP_QUEUE_FULL
    } else {
      const out = this.#out
      if (out.isFull) this.flush()
      const header = out.nextHeader()
      putRecordHeader(out.headers.bytes, header, RECORD_FRAME, payload)
      out.push(memory, start - VIRTIO_HEADER_LEN, end)
    }
    if (reason >= 0) {
      counters.dropOut(reason, frames)
      return
    }
    counters.outFrames += frames
    counters.outOctets += wireOctets(octets, start, end)
  }

  flush(): void {
    const out = this.#out
    if (out.count === 0) return
    let sent = 0
    if (this.#waitingTo === 0 && this.up) {
      sent = libc.sendmsg(this.#fd, out.address, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
      if (sent < 0) {
        if (libc.errno() !== libc.EAGAIN) this.up = false // the read side will tell why
        sent = 0
      }
    }
    if (sent < out.octets) this.#keepUnsent(sent)
    out.clear()
  }

  /** Ends the port and tells the far side why: a BYE record behind what waits, then the end when it has read it. */
  end(code: string, message: string): void {
    this.flush()
    this.up = false
    const record = byeRecord(code, message)
    const sent =
      this.#waitingTo > 0
        ? 0
        : libc.sendBuffer(this.#fd, record, record.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
    if (sent === record.length) return this.close()
    this.#queue(new FrameMemory(record), Math.max(sent, 0), record.length, false)
    this.#ending = setTimeout(() => this.close(), END_TIMEOUT_MS)
    this.#watcher.watch(WRITABLE)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.up = false
    clearTimeout(this.#ending)
    this.#watcher.close(() => {
      libc.close(this.#fd)
      this.#assembler.free()
      this.#out.free()
      this.#waiting?.free()
    })
  }

  #ready(events: number, failed: boolean): void {
    if (this.#closed) return
    if ((events & WRITABLE) !== 0 || (failed && this.#ending)) this.#writeWaiting()
    if (this.#ending) return
    if ((events & READABLE) === 0 && !failed) return
    for (let round = 0; round < ROUNDS; round++) {
      const room = this.#assembler.room
      const count = libc.recv(this.#fd, this.#assembler.address, room, libc.MSG_DONTWAIT)
      if (count === 0) return this.#end('closed by the other side')
      if (count < 0) {
        const code = libc.errno()
        if (code === libc.EAGAIN || code === libc.EINTR) return
        return this.#end(libc.errnoText(code))
      }
      try {
        this.#assembler.added(count)
      } catch (error) {
        return this.#end(reasonOf(error))
      }
      if (this.#closed) return
    }
  }

  #end(why: string): void {
    this.up = false
    this.#watcher.watch(0)
    this.#sink.portState(false, why)
    this.#onEnd(why)
  }

  /** Copies octets behind those that wait; false when they do not fit. */
  #wait(memory: FrameMemory, start: number, end: number, withHeader: boolean): boolean {
    const size = end - start + (withHeader ? RECORD_HEADER_LEN : 0)
    if (this.#waitingTo - this.#waitingFrom + size > QUEUE_OCTETS) return false
    this.#queue(memory, start, end, withHeader)
    return true
  }

  /** The same without a bound but the memory's: a longest record more than the queue. */
  #queue(memory: FrameMemory, start: number, end: number, withHeader: boolean): void {
    const waiting = (this.#waiting ??= FrameMemory.native(
      QUEUE_OCTETS + RECORD_HEADER_LEN + MAX_FRAME_PAYLOAD,
    ))
    if (this.#waitingTo + end - start + RECORD_HEADER_LEN > waiting.bytes.length) {
      waiting.bytes.copyWithin(0, this.#waitingFrom, this.#waitingTo)
      this.#waitingTo -= this.#waitingFrom
      this.#waitingFrom = 0
    }
    if (withHeader) {
      putRecordHeader(waiting.bytes, this.#waitingTo, RECORD_FRAME, end - start)
      this.#waitingTo += RECORD_HEADER_LEN
    }
    copyFrame(memory, start, end, waiting, this.#waitingTo)
    this.#waitingTo += end - start
    this.#watcher.watch(READABLE | WRITABLE)
  }

  /** Keeps what the socket did not take of the batch; what cannot wait was counted as sent and is taken back. */
  #keepUnsent(sent: number): void {
    const out = this.#out
    const counters = this.counters
    let skip = sent
    for (let i = 0; i < out.count; i++) {
      const memory = out.memory(i)
      const start = out.start(i)
      const end = out.end(i)
      const size = RECORD_HEADER_LEN + end - start
      if (skip >= size) {
        skip -= size
        continue
      }
      // A record that is partly sent must go on, whatever waits: the queue is empty then, so it fits.
      const kept = !this.up
        ? false
        : skip === 0
          ? this.#wait(memory, start, end, true)
          : skip < RECORD_HEADER_LEN
            ? this.#wait(out.headers, out.header(i) + skip, out.header(i) + RECORD_HEADER_LEN, false) &&
              this.#wait(memory, start, end, false)
            : this.#wait(memory, start + skip - RECORD_HEADER_LEN, end, false)
      skip = 0
      if (kept) continue
      const from = start + VIRTIO_HEADER_LEN
      const frames = wireFrames(memory.bytes, from, end)
      counters.outFrames -= frames
      counters.outOctets -= wireOctets(memory.bytes, from, end)
      counters.dropOut(this.up ? DROP_QUEUE_FULL : DROP_LINK_DOWN, frames)
    }
  }

  #writeWaiting(): void {
    const waiting = this.#waiting
    if (waiting && this.#waitingTo > 0) {
      const sent = libc.sendFrom(
        this.#fd,
        waiting.address + this.#waitingFrom,
        this.#waitingTo - this.#waitingFrom,
        libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL,
      )
      if (sent > 0) this.#waitingFrom += sent
      // A far side that is gone takes nothing more; the read side tells of it, unless this was the last word.
      const isGone = sent < 0 && libc.errno() !== libc.EAGAIN && libc.errno() !== libc.EINTR
      if (isGone) this.up = false
      else if (this.#waitingFrom < this.#waitingTo) return
    }
    this.#waitingFrom = 0
    this.#waitingTo = 0
    if (this.#ending) this.close()
    else this.#watcher.watch(READABLE)
  }
}
