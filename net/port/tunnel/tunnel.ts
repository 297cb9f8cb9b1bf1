/** Port kind `tunnel`: frames as records on a byte stream that somebody else writes and reads (an SSH channel). */
import type { PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { MAX_WIRE_FRAME, type FrameSink, type Port } from '#net/port/port.ts'
import { TunnelSender, type TunnelStream } from '#net/port/tunnel/sender.ts'

export interface TunnelPortOptions {
  readonly name: string
  readonly counters: PortCounters
  readonly sink: FrameSink
  /** Of the hash that tells flows apart: unknown to those who send. */
  readonly seed: number
}

export class TunnelPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  superFrames = true
  maxFrame = MAX_WIRE_FRAME
  readonly #sink: FrameSink
  readonly #assembler: FrameAssembler
  readonly #sender: TunnelSender
  #scheduled = false
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false
    this.#sender.write()
  }

  constructor(options: TunnelPortOptions) {
    this.name = options.name
    this.counters = options.counters
    this.#sink = options.sink
    this.#assembler = new FrameAssembler(options.counters, options.sink)
    this.#sender = new TunnelSender(
      {
        sent: (frames, octets) => {
          this.counters.outFrames += frames
          this.counters.outOctets += octets
        },
        lost: (reason, frames) => this.counters.dropOut(reason, frames),
      },
      options.seed,
    )
  }

  get up(): boolean {
    return this.#sender.isConnected
  }

  /** The tunnel is open. @param peer  what the far side takes */
  connect(stream: TunnelStream, peer: { superFrames: boolean; largestFrame: number }): void {
    this.superFrames = peer.superFrames
    this.maxFrame = Math.min(peer.largestFrame, MAX_WIRE_FRAME)
    this.#sender.connect(stream)
    this.#sink.portState(true, 'tunnel is open')
  }

  /** The tunnel is gone. Frames that waited here are lost, and counted. */
  disconnect(why: string): void {
    if (!this.up) return
    this.#sender.disconnect()
    this.#assembler.reset()
    this.#sink.portState(false, why)
  }

  /** Octets of FRAME records from the far side. @throws ProtocolError on a broken stream */
  receive(chunk: Uint8Array, start: number, end: number): void {
    if (this.up) this.#assembler.append(chunk, start, end)
  }

  /** The stream takes octets again. */
  drained(): void {
    this.#sender.drained()
  }

  send(memory: FrameMemory, start: number, end: number): void {
    this.#sender.send(memory, start, end)
  }

  /** All frames of one turn of the event loop go in one write: one frame a write caps ssh2 at some 100 000 a second. */
  flush(): void {
    if (this.#scheduled || this.#sender.isEmpty) return
    this.#scheduled = true
    setImmediate(this.#onTurnEnd)
  }

  close(): void {
    this.disconnect('closed')
    this.#assembler.free()
    this.#sender.free()
  }
}
