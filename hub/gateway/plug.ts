/**
 * `vde_plug BRIDGE` on an SSH channel: VDE's stream on one side, frame records to and from the fabric on the other.
 * When the channel takes no more, the fabric is not read from, whose queue is bounded and counts what it loses; when the
 * fabric takes no more, the channel is not read from.
 */
import net from 'node:net'
import type { ServerChannel } from 'ssh2'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { LENGTH_LEN, VdeStreamReader } from '#net/port/vde/stream.ts'
import { decodeBye } from '#net/tunnel/bye.ts'
import { putRecordHeader, RECORD_BYE, RECORD_FRAME, RECORD_HEADER_LEN } from '#net/tunnel/framing.ts'
import { putU16 } from '#net/wire/octets.ts'
import { putPlain, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import { fabricSockets, topologyOf } from '#hub/base/fabric-sockets.ts'
import type { Caller } from '#hub/gateway/caller.ts'
import { parseAnswer } from '#hub/gateway/fabric-answer.ts'
import { Output } from '#hub/gateway/output.ts'

const JOIN_TIMEOUT_MS = 3000
const LONGEST_ANSWER = 4096
/** For what waits at the end. */
const LINGER_MS = 3000
/** Octets for the fabric that wait before the client is no longer read from; SSH's window then stops it. */
const HIGH_WATER = 1 << 20
const BEFORE_FRAME = RECORD_HEADER_LEN + VIRTIO_HEADER_LEN

export interface PlugOptions {
  /** In full. */
  readonly bridge: string
  readonly user: string
  readonly channel: ServerChannel
  readonly caller: Caller
  readonly log: (level: 'info' | 'warn', text: string) => void
  readonly onEnd: () => void
}

export class Plug {
  readonly #options: PlugOptions
  readonly #fabric: net.Socket
  readonly #toFabric: Output
  readonly #toClient: Output
  readonly #reader: VdeStreamReader
  readonly #assembler: FrameAssembler
  readonly #timer: NodeJS.Timeout
  #answer: string | undefined = ''
  #ended = false

  constructor(options: PlugOptions) {
    this.#options = options
    const { channel } = options
    const fabric = (this.#fabric = net.connect(fabricSockets(topologyOf(options.bridge)).tunnel))
    this.#toFabric = new Output((octets) => fabric.write(octets))
    this.#toClient = new Output((octets) => {
      if (channel.writable && !channel.write(octets)) fabric.pause()
    })
    this.#reader = new VdeStreamReader((octets, start, end) => this.#fromClient(octets, start, end))
    this.#assembler = new FrameAssembler(
      new PortCounters(),
      {
        frame: (memory, start, end) => this.#fromSwitch(memory, start, end),
        batchEnd: () => this.#toClient.flush(),
        portState: () => {},
      },
      (type, payload) => {
        if (type === RECORD_BYE) this.bye('bye', decodeBye(payload).message)
      },
    )
    this.#timer = setTimeout(() => this.#end('the switch does not answer', 1), JOIN_TIMEOUT_MS)
    fabric.on('data', (chunk: Buffer) => this.#heard(chunk))
    fabric.on('drain', () => {
      if (this.#answer === undefined) channel.resume()
    })
    fabric.on('error', () => {}) // 'close' follows
    fabric.on('close', () => this.#end('the switch went away', 1))
    channel.on('drain', () => fabric.resume())
    channel.on('error', () => this.#end('the connection failed', 0))
    channel.on('end', () => this.#end('the client left', 0))
    channel.on('close', () => this.#end('the client left', 0))
    this.#ask()
  }

  /** Ends it from this side, and tells the client why. */
  bye(_code: string, message: string): void {
    this.#end(message, 1)
  }

  #ask(): void {
    const { bridge, user, caller } = this.#options
    const request = {
      kind: 'plug',
      bridge,
      user,
      name: caller.peerAddress,
      key: '',
      superFrames: false,
      localAddress: caller.localAddress,
      peerAddress: caller.peerAddress,
    }
    this.#fabric.write(`${JSON.stringify(request)}\n`)
  }

  #heard(chunk: Buffer): void {
    if (this.#ended) return
    try {
      const from = this.#answer === undefined ? 0 : this.#heardAnswer(this.#answer, chunk)
      if (from < chunk.length) this.#assembler.append(chunk, from, chunk.length)
    } catch (error) {
      this.#end(reasonOf(error), 1)
    }
  }

  /** Reads the fabric's one line. @returns where in the chunk records begin @throws ProtocolError when it refuses */
  #heardAnswer(before: string, chunk: Buffer): number {
    const end = chunk.indexOf(0x0a)
    const answer = before + chunk.toString('utf8', 0, end < 0 ? chunk.length : end)
    if (end < 0 && answer.length <= LONGEST_ANSWER) {
      this.#answer = answer
      return chunk.length
    }
    const joined = parseAnswer(answer)
    if (joined instanceof ProtocolError) throw joined
    this.#answer = undefined
    clearTimeout(this.#timer)
    this.#options.channel.on('data', (octets: Buffer) => this.#said(octets))
    return end + 1
  }

  #said(chunk: Buffer): void {
    if (this.#ended) return
    try {
      this.#reader.read(chunk)
    } catch (error) {
      this.#end(reasonOf(error), 1)
      return
    }
    this.#toFabric.flush()
    if (this.#fabric.writableLength > HIGH_WATER) this.#options.channel.pause()
  }

  /** Frames of any length: the fabric's port counts those that are too short. */
  #fromClient(octets: Uint8Array, start: number, end: number): void {
    const length = end - start
    const at = this.#toFabric.reserve(BEFORE_FRAME + length)
    const out = this.#toFabric.octets
    putRecordHeader(out, at, RECORD_FRAME, VIRTIO_HEADER_LEN + length)
    putPlain(out, at + BEFORE_FRAME)
    out.set(octets.subarray(start, end), at + BEFORE_FRAME)
  }

  #fromSwitch(memory: FrameMemory, start: number, end: number): void {
    const at = this.#toClient.reserve(LENGTH_LEN + end - start)
    const out = this.#toClient.octets
    putU16(out, at, end - start)
    out.set(memory.bytes.subarray(start, end), at + LENGTH_LEN)
  }

  #end(why: string, status: number): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    const { bridge, user, channel, log, onEnd } = this.#options
    log(status === 0 ? 'info' : 'warn', `vde_plug of ${user} on ${bridge} ended: ${why}`)
    this.#toFabric.flush()
    this.#fabric.destroySoon()
    // A frame may be in hand that lies there.
    setImmediate(() => this.#assembler.free())
    channel.resume() // its end comes behind what is unread
    if (channel.writable) {
      if (status !== 0) channel.stderr.write(`vde_plug: ${why}\r\n`)
      channel.exit(status)
      channel.end()
      // What waits for a client that reads no more would keep the session for ever.
      const linger = setTimeout(() => channel.close(), LINGER_MS)
      channel.on('close', () => clearTimeout(linger))
    }
    onEnd()
  }
}
