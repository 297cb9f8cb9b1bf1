/** One process of a `pcap` port: started with nothing of ours but a pipe, spoken with, watched to its end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { Duplex } from 'node:stream'
import { reasonOf, SystemError } from '#net/base/errors.ts'
import { programArguments } from '#net/program/arguments.ts'
import type { PortCounters } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import {
  CountsReader,
  limitPayload,
  parseFailure,
  RECORD_COUNTS,
  RECORD_FAILED,
  RECORD_LIMIT,
  RECORD_OPENED,
} from '#net/port/pcap/records.ts'
import { RecordQueue } from '#net/port/pcap/record-queue.ts'
import { RecordScanner } from '#net/tunnel/framing.ts'

const QUEUE_OCTETS = 1 << 20
const KILL_AFTER_MS = 1000
/** What a program needs to find its libraries; secrets of the environment are not its business. */
const ENVIRONMENT = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot']

export interface PcapProcessEvents {
  readonly onOpened: () => void
  /** `chunk[start, end)`: octets of FRAME records. @throws ProtocolError */
  readonly onFrames: (chunk: Uint8Array, start: number, end: number) => void
  /** It has ended, once. `why` is for people, `code` an errno's name. */
  readonly onEnd: (why: string, code: string) => void
}

export interface PcapLink {
  /** As libpcap knows it. */
  readonly name: string
  /** Frames from this address are left out: the machine sent them itself. Empty: unknown. */
  readonly address: string
  /** Octets of the longest frame that is to be handed over, without a tag. */
  readonly limit: number
}

export class PcapProcess {
  readonly #process: ChildProcess
  readonly #channel: Duplex
  readonly #events: PcapProcessEvents
  readonly #counters: PortCounters
  readonly #queue = new RecordQueue(QUEUE_OCTETS)
  readonly #counts = new CountsReader()
  #isWriting = false
  #hasEnded = false
  #failure = { code: 'EIO', message: '' }
  #killTimer: NodeJS.Timeout | undefined
  readonly #onWritten = (): void => {
    this.#isWriting = false
    this.write()
  }

  /** @param counters  of the port: what the process counts is added */
  constructor(link: PcapLink, counters: PortCounters, events: PcapProcessEvents) {
    this.#events = events
    this.#counters = counters
    const env = Object.fromEntries(ENVIRONMENT.map((key) => [key, process.env[key]]))
    // cap writes warnings of its own to the standard error, which nobody can act on.
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const
    this.#process = spawn(process.execPath, [...programArguments('hconnect-pcap'), link.name, link.address], {
      env,
      stdio: [...stdio],
    })
    this.#process.once('error', (error) => this.#end(`its process cannot be started: ${error.message}`))
    const channel = this.#process.stdio?.[3]
    if (!(channel instanceof Duplex)) {
      this.#hasEnded = true
      this.#queue.free()
      throw new SystemError(
        'EMFILE',
        `cannot start a process for ${link.name}: too many open files (ulimit -n)`,
      )
    }
    this.#channel = channel
    const records = new RecordScanner({
      onFrames: events.onFrames,
      onControl: (type, payload) => this.#control(type, payload),
    })
    channel.on('data', (chunk: Buffer) => {
      try {
        records.scan(chunk, 0, chunk.length)
      } catch (error) {
        this.#failure = { code: 'EPROTO', message: `its process is not understood: ${reasonOf(error)}` }
        this.kill()
      }
    })
    channel.on('error', () => {}) // its end tells more
    this.#process.once('close', (code, signal) =>
      this.#end(`its process ended (${signal ?? `exit code ${code}`})`),
    )
    this.setLimit(link.limit)
  }

  /** Octets of the longest frame that it is to hand over, without a tag. */
  setLimit(octets: number): void {
    this.#queue.control(RECORD_LIMIT, limitPayload(octets))
    this.write()
  }

  /** Takes a copy of a plain frame; false: there is no room for it. */
  send(memory: FrameMemory, start: number, end: number): boolean {
    return this.#queue.frame(memory, start, end)
  }

  /** Writes what was taken. To be called after a batch of frames. */
  write(): void {
    if (this.#isWriting || this.#queue.octets === 0 || this.#hasEnded) return
    this.#isWriting = true
    this.#channel.write(this.#queue.take(), this.#onWritten)
  }

  /** Ends it; `onEnd` tells when it has. */
  kill(): void {
    this.#process.kill('SIGTERM')
    this.#killTimer ??= setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS)
  }

  /** Frames that it was given and gave no account of. */
  get unaccounted(): number {
    return this.#queue.frames - this.#counts.accounted
  }

  #control(type: number, payload: Uint8Array): void {
    if (type === RECORD_OPENED) this.#events.onOpened()
    else if (type === RECORD_COUNTS) this.#counts.add(payload, this.#counters)
    else if (type === RECORD_FAILED) this.#failure = parseFailure(payload)
  }

  #end(why: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#killTimer)
    this.#channel.destroy()
    this.#queue.free()
    const { code, message } = this.#failure
    this.#events.onEnd(message || why, code)
  }
}
