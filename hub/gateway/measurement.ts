/**
 * `hybridge measure up|down`: how fast the path between an agent and this hub is, measured on an SSH channel with filler
 * that goes no further. Bounded in time and octets; one for each user at a time, in each gateway.
 */
import type { ServerChannel } from 'ssh2'
import { reasonOf } from '#net/base/errors.ts'
import { Load } from '#net/port/tunnel/load.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'
import { RECORD_BYE } from '#net/tunnel/framing.ts'
import { arrivedRecord, greetingRecord, LONGEST_LOAD_MS, MOST_LOAD_OCTETS } from '#net/tunnel/measurement.ts'

/** With pings before and the answer behind. */
const LONGEST_MS = LONGEST_LOAD_MS + 5000
/** While the agent sends: what comes back shows that small packets pass where large ones are lost. */
const PING_EVERY_MS = 500
/** For the last word to an agent that does not read. */
const LINGER_MS = 3000

export interface MeasurementOptions {
  readonly direction: 'up' | 'down'
  /** Of `down`: how long filler is sent. */
  readonly ms: number
  readonly channel: ServerChannel
  /** What SSH runs on. */
  readonly transport: Transport
  readonly onEnd: () => void
}

export class Measurement {
  readonly #options: MeasurementOptions
  readonly #load: Load
  readonly #timer: NodeJS.Timeout
  #pinging: NodeJS.Timeout | undefined
  #ended = false

  constructor(options: MeasurementOptions) {
    this.#options = options
    const { channel, transport, direction, ms } = options
    channel.on('error', () => {}) // 'close' follows
    this.#load = new Load({
      channel,
      transport,
      onControl: (type) => {
        if (type === RECORD_BYE) this.#report()
      },
      onRoundTrip: () => {},
      onFault: (error) => this.bye('fault', reasonOf(error)),
    })
    channel.on('data', () => {
      if (this.#load.arrived.octets > 2 * MOST_LOAD_OCTETS) this.bye('limit', 'it has sent too much')
    })
    channel.on('end', () => this.#end(0))
    channel.on('close', () => this.#end(0))
    this.#timer = setTimeout(() => this.bye('limit', 'it takes too long'), LONGEST_MS)
    this.#load.write(greetingRecord(Date.now()))
    if (direction === 'down') void this.#source(ms)
    else this.#pinging = setInterval(() => this.#load.ping(), PING_EVERY_MS)
  }

  /** Ends it from this side, and tells the agent why. */
  bye(_code: string, message: string): void {
    if (this.#ended) return
    if (this.#options.channel.writable) this.#options.channel.stderr.write(`${message}\r\n`)
    this.#end(1)
  }

  async #source(ms: number): Promise<void> {
    await this.#load.send(ms)
    this.#load.write(arrivedRecord(this.#load.arrived))
  }

  #report(): void {
    if (this.#ended) return
    this.#load.write(arrivedRecord(this.#load.arrived))
    this.#end(0)
  }

  #end(status: number): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    clearInterval(this.#pinging)
    this.#load.close()
    const { channel, onEnd } = this.#options
    channel.resume() // its end comes behind what is unread
    if (channel.writable) {
      channel.exit(status)
      channel.end()
      const linger = setTimeout(() => channel.close(), LINGER_MS)
      channel.on('close', () => clearTimeout(linger))
    }
    onEnd()
  }
}
