/**
 * One end of a measurement on an SSH channel: sends filler as a tunnel sends frames, as fast as the path takes it and
 * no faster; counts what comes; answers pings and times its own.
 */
import type { Duplex } from 'node:stream'
import { ChannelStream, isDeaf } from '#net/port/tunnel/channel-stream.ts'
import { ChannelWindow } from '#net/port/tunnel/channel-window.ts'
import { TunnelConnection } from '#net/port/tunnel/connection.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'
import {
  controlRecord,
  putRecordHeader,
  RECORD_FRAME,
  RECORD_HEADER_LEN,
  RECORD_PING,
  RECORD_PONG,
  RecordScanner,
} from '#net/tunnel/framing.ts'
import { type Arrived, LONGEST_LOAD_MS, MOST_LOAD_OCTETS } from '#net/tunnel/measurement.ts'
import { pingRecord } from '#net/tunnel/session.ts'

/** One SSH packet. */
const LONGEST_RECORD = 32_768 - RECORD_HEADER_LEN
const PING_LEN = 8

export interface LoadOptions {
  /** Of ssh2. */
  readonly channel: Duplex
  /** What SSH runs on. */
  readonly transport: Transport
  /** HELLO, BYE and what else is no frame and no ping. `payload` is lent. */
  readonly onControl: (type: number, payload: Uint8Array) => void
  readonly onRoundTrip: (ms: number) => void
  /** What came is no record: the stream is useless, and nothing more is read. */
  readonly onFault: (error: unknown) => void
}

export class Load {
  readonly #options: LoadOptions
  readonly #stream: ChannelStream
  readonly #window: ChannelWindow
  readonly #scanner: RecordScanner
  readonly #filler = Buffer.alloc(RECORD_HEADER_LEN + LONGEST_RECORD)
  #octets = 0
  #leastRoundTripMs = Number.NaN
  #firstAt = Number.NaN
  #lastAt = Number.NaN
  #left = 0
  #timer: NodeJS.Timeout | undefined
  #onSent: () => void = () => {}
  #isClosed = false

  constructor(options: LoadOptions) {
    this.#options = options
    const { channel, transport } = options
    this.#stream = new ChannelStream(
      channel,
      new TunnelConnection(transport.socket, true, transport.stream),
      () => this.#fill(),
    )
    this.#window = new ChannelWindow(channel)
    this.#scanner = new RecordScanner({
      onFrames: (_chunk, start, end) => this.#count(end - start),
      onControl: (type, payload) => this.#control(type, payload),
    })
    channel.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  /** What has come so far. */
  get arrived(): Arrived {
    return { octets: this.#octets, ms: this.#octets === 0 ? 0 : this.#lastAt - this.#firstAt }
  }

  ping(): void {
    this.#writeIfHeard(pingRecord(performance.now()))
  }

  /** A control record, behind what was sent. */
  write(record: Uint8Array): void {
    if (!this.#isClosed) this.#stream.writeControl(record)
  }

  /** A peer that asks and does not read gets no more answers. */
  #writeIfHeard(record: Uint8Array): void {
    const { channel, transport } = this.#options
    if (!isDeaf(channel, transport)) this.write(record)
  }

  /** Sends filler for so long; resolves when the time is over, the most octets are sent, or it is closed. */
  send(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onSent = resolve
      this.#left = MOST_LOAD_OCTETS
      this.#timer = setTimeout(() => this.#sent(), Math.min(ms, LONGEST_LOAD_MS))
      this.#fill()
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#sent()
    this.#isClosed = true
    this.#stream.close()
    this.#window.close()
  }

  #sent(): void {
    clearTimeout(this.#timer)
    this.#left = 0
    this.#onSent()
  }

  #fill(): void {
    while (this.#left > 0 && !this.#isClosed && this.#options.channel.writable && !this.#stream.isFull) {
      const length = Math.min(LONGEST_RECORD, Math.floor(this.#stream.pace.piece))
      putRecordHeader(this.#filler, 0, RECORD_FRAME, length)
      // A copy: the channel keeps what the far side has no window for, and the next record has another header.
      const record = Buffer.from(this.#filler.subarray(0, RECORD_HEADER_LEN + length))
      this.#stream.write(record)
      this.#left -= record.length
      if (this.#left <= 0) this.#sent()
    }
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return
    this.#window.read(chunk.length, performance.now(), this.#leastRoundTripMs)
    try {
      this.#scanner.scan(chunk, 0, chunk.length)
    } catch (error) {
      this.close()
      this.#options.onFault(error)
    }
  }

  #count(octets: number): void {
    this.#lastAt = performance.now()
    if (this.#octets === 0) this.#firstAt = this.#lastAt
    this.#octets += octets
  }

  #control(type: number, payload: Uint8Array): void {
    if (type === RECORD_PING && payload.length === PING_LEN) {
      this.#writeIfHeard(controlRecord(RECORD_PONG, payload))
      return
    }
    if (type !== RECORD_PONG || payload.length !== PING_LEN) {
      this.#options.onControl(type, payload)
      return
    }
    const now = performance.now()
    const sentAt = new DataView(payload.buffer, payload.byteOffset).getFloat64(0)
    if (!(sentAt >= 0 && sentAt <= now)) return
    this.#leastRoundTripMs = Math.min(this.#leastRoundTripMs || Infinity, now - sentAt)
    this.#options.onRoundTrip(now - sentAt)
    this.#stream.answered(sentAt, now)
  }
}
