/**
 * From the fabric to the agent. While the path to the agent is fast, frame records pass as they come, unparsed but for
 * their lengths, and a full channel stops the reading: the fabric's own queue is the bounded one then. On a slower path
 * everything is read at once and waits in the tunnel's fair queue (net/port/tunnel/sender.ts); what that loses is
 * for the fabric to know, whose port had counted it as sent.
 */
import type { Duplex } from 'node:stream'
import { PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { TunnelConnection } from '#net/port/tunnel/connection.ts'
import { ChannelStream } from '#net/port/tunnel/channel-stream.ts'
import { DropReport } from '#net/port/tunnel/drops.ts'
import { RecordScanner } from '#net/tunnel/framing.ts'
import { TunnelSender } from '#net/port/tunnel/sender.ts'

export interface DownlinkOptions {
  /** Of ssh2. */
  readonly channel: Duplex
  /** The connection under the channel. */
  readonly path: TunnelConnection
  readonly fabric: { pause(): unknown; resume(): unknown }
  /** Of the hash that tells flows apart. */
  readonly seed: number
  /** It is one of several, and takes flows over from the others. */
  readonly isFurther?: boolean
  /** A control record of the fabric's. `payload` is lent. */
  readonly onControl: (type: number, payload: Uint8Array) => void
  /** No frame is under way: what `interrupt` asked for may be written now. */
  readonly onBoundary: () => void
  /** There is something in `losses`. */
  readonly onLost: () => void
}

export class Downlink {
  readonly #options: DownlinkOptions
  readonly #stream: ChannelStream
  readonly #sender: TunnelSender
  readonly #scanner: RecordScanner
  readonly #assembler: FrameAssembler
  /** What the queue has lost since this was last taken. */
  readonly losses = new DropReport()
  /** Records pass as they come; changes between records only. */
  #isDirect = false
  #interrupted = false
  #closed = false

  constructor(options: DownlinkOptions) {
    this.#options = options
    const { channel, path, isFurther = false } = options
    this.#stream = new ChannelStream(channel, path, () => this.#drained(), isFurther)
    this.#sender = new TunnelSender(
      {
        sent: () => {},
        lost: (reason, frames, octets) => {
          this.losses.add(reason, frames, octets)
          options.onLost()
        },
      },
      options.seed,
    )
    this.#sender.connect(this.#stream)
    this.#assembler = new FrameAssembler(new PortCounters(), {
      frame: (memory, start, end) => this.#sender.send(memory, start, end),
      batchEnd: () => {},
      portState: () => {},
    })
    this.#scanner = new RecordScanner({
      onFrames: (chunk, start, end) => this.#frames(chunk, start, end),
      onControl: options.onControl,
    })
  }

  /** A control record may be written to the channel: no frame record is half written. */
  get isBetweenRecords(): boolean {
    return !this.#isDirect || this.#scanner.leftInFrame === 0
  }

  get #mayBeDirect(): boolean {
    return this.#stream.pace.isFast && !this.#stream.isTakingOver && this.#sender.isEmpty
  }

  /** Asks for `onBoundary` before the next frame. */
  interrupt(): void {
    this.#interrupted = true
  }

  /** Takes what the fabric sent. @throws ProtocolError on a broken stream */
  receive(chunk: Uint8Array): void {
    let from = 0
    if (
      this.#interrupted ||
      this.#mayBeDirect !== this.#isDirect ||
      (this.#isDirect && this.#stream.isPingDue)
    ) {
      // Under load a chunk nearly always ends inside a frame: what is to change changes behind it.
      const left = this.#scanner.leftInFrame
      if (left <= chunk.length) {
        from = left
        this.#scanner.scan(chunk, 0, left)
        if (this.#interrupted) {
          this.#interrupted = false
          this.#options.onBoundary()
          if (this.#closed) return
        }
        // That frame goes before those that pass the queue by.
        this.#sender.write()
        this.#isDirect = this.#mayBeDirect
      }
    }
    this.#scanner.scan(chunk, from, chunk.length)
    if (!this.#isDirect) this.#sender.write()
    if (this.#stream.pace.isFast && this.#stream.isFull) this.#options.fabric.pause()
  }

  /** Writes a control record to the agent. To be called between records only. */
  writeControl(record: Uint8Array): void {
    this.#stream.writeControl(record)
  }

  /** A PONG came, for the PING of `time`. */
  answered(time: number, now: number): void {
    if (!this.#closed) this.#stream.answered(time, now)
  }

  /** What waits is lost. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stream.close()
    this.#sender.free()
    this.#assembler.free()
  }

  #frames(chunk: Uint8Array, start: number, end: number): void {
    if (this.#closed) return
    if (!this.#isDirect) return this.#assembler.append(chunk, start, end)
    if (!this.#options.channel.writable) return
    const octets = chunk.subarray(start, end)
    // A span of the scanner's own header buffer is used again at the next one: it must be copied.
    this.#stream.write(
      octets.length <= 4 ? Buffer.from(octets) : Buffer.from(octets.buffer, octets.byteOffset, octets.length),
      this.#scanner.leftInFrame === 0,
    )
  }

  #drained(): void {
    // Before frames fill the connection again.
    if (this.#interrupted && this.isBetweenRecords) {
      this.#interrupted = false
      this.#options.onBoundary()
      if (this.#closed) return
    }
    this.#sender.drained()
    if (this.#options.channel.writableLength === 0) this.#options.fabric.resume()
  }
}
