/** Measures the way to the hub with `hybridge measure`: round trips idle and under load, and what passes both ways. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'

import type { HubConnection } from '#agent/link/dial.ts'
import { Milestone } from '#net/base/milestone.ts'
import { excerpt } from '#agent/excerpt.ts'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { Load } from '#net/port/tunnel/load.ts'
import { controlRecord, RECORD_BYE, RECORD_HELLO } from '#net/tunnel/framing.ts'
import { type Arrived, decodeArrived, decodeGreeting } from '#net/tunnel/measurement.ts'

/** Each way. */
const LOAD_MS = 3000
const IDLE_PINGS = 10
const PING_EVERY_MS = 100
/** Enough for large packets. */
const TRIAL_MS = 1
/** For what waits in queues when the load ends, and for the answer. */
const PATIENCE_MS = 10_000
const MAX_STDERR = 1000
/** That are kept: a hub could answer more pings than were sent. */
const MOST_ROUND_TRIPS = 1000

/** Milliseconds. */
export interface RoundTrips {
  readonly least: number
  readonly median: number
  readonly most: number
}

export interface Direction {
  readonly bitsPerSecond: number
  readonly octets: number
  /** While it is loaded; undefined: no answer came in time. */
  readonly loaded: RoundTrips | undefined
}

export interface Measured {
  readonly idle: RoundTrips | undefined
  readonly up: Direction
  readonly down: Direction
}

/** The hub's time, milliseconds since 1970, by half a round trip; undefined: it does not tell. */
export async function hubTime(hub: HubConnection): Promise<number | undefined> {
  try {
    const probe = await Probe.open(hub, 'up')
    const time = await probe.greeting
    await probe.finish()
    return time
  } catch {
    return undefined
  }
}

/** Sends some large packets each way. @throws ProtocolError when they do not arrive, or the hub does not offer it */
export async function tryLargePackets(hub: HubConnection): Promise<void> {
  const up = await Probe.open(hub, 'up')
  await up.load.send(TRIAL_MS)
  await up.finish()
  const down = await Probe.open(hub, `down ${TRIAL_MS}`)
  const pinging = down.pingEvery(PING_EVERY_MS)
  try {
    await within(down.said)
  } finally {
    clearInterval(pinging)
  }
  await down.finish()
}

/** @throws ProtocolError when the hub does not offer it, or ends it */
export async function measure(hub: HubConnection, loadMs: number = LOAD_MS): Promise<Measured> {
  const up = await Probe.open(hub, 'up')
  for (let i = 0; i < IDLE_PINGS; i++) await up.pingAndWait()
  const idle = roundTripsOf(up.takeRoundTrips())
  const pingingUp = up.pingEvery(PING_EVERY_MS)
  await up.load.send(loadMs)
  clearInterval(pingingUp)
  const sunk = await up.finish()
  const loadedUp = roundTripsOf(up.takeRoundTrips())

  const down = await Probe.open(hub, `down ${loadMs}`)
  const pingingDown = down.pingEvery(PING_EVERY_MS)
  try {
    await within(down.said, loadMs + PATIENCE_MS)
  } finally {
    clearInterval(pingingDown)
  }
  await down.finish()
  return {
    idle,
    up: { ...rateOf(sunk), loaded: loadedUp },
    down: { ...rateOf(down.load.arrived), loaded: roundTripsOf(down.takeRoundTrips()) },
  }
}

const rateOf = ({ octets, ms }: Arrived): Pick<Direction, 'bitsPerSecond' | 'octets'> => ({
  octets,
  bitsPerSecond: ms > 0 ? Math.round((octets * 8000) / ms) : 0,
})

/** Undefined without any. */
function roundTripsOf(ms: readonly number[]): RoundTrips | undefined {
  const sorted = [...ms].sort((a, b) => a - b)
  const [least] = sorted
  const median = sorted[sorted.length >> 1]
  const most = sorted.at(-1)
  if (least === undefined || median === undefined || most === undefined) return undefined
  return { least, median, most }
}

/** One channel of a measurement. */
class Probe {
  readonly load: Load
  readonly #greeted = new Milestone<number>()
  readonly #said = new Milestone<Arrived>()
  readonly #closed = new Milestone<void>()
  readonly #channel: ClientChannel
  #roundTrips: number[] = []
  #onPong: () => void = () => {}

  /** @throws ProtocolError when the hub does not greet */
  static async open(hub: HubConnection, words: string): Promise<Probe> {
    const probe = new Probe(await hub.exec(`hybridge measure ${words}`), hub)
    await within(probe.greeting)
    return probe
  }

  private constructor(channel: ClientChannel, hub: HubConnection) {
    this.#channel = channel
    this.load = new Load({
      channel,
      transport: hub,
      onControl: (type, payload) => {
        const time = type === RECORD_HELLO ? decodeGreeting(payload) : undefined
        const arrived = type === RECORD_BYE ? decodeArrived(payload) : undefined
        if (time !== undefined) this.#greeted.pass(time)
        if (arrived !== undefined) this.#said.pass(arrived)
      },
      onRoundTrip: (ms) => {
        if (this.#roundTrips.length < MOST_ROUND_TRIPS) this.#roundTrips.push(ms)
        this.#onPong()
      },
      onFault: (error) => this.#fail(`what the hub sends is nothing known: ${reasonOf(error)}`),
    })
    let stderr = ''
    channel.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < MAX_STDERR) stderr += chunk.toString()
    })
    channel.once('close', () => {
      this.load.close()
      this.#fail(excerpt(stderr) || 'the hub ended the measurement')
      this.#closed.pass()
    })
  }

  /** Resolves with the hub's time, milliseconds since 1970, when it has greeted. */
  get greeting(): Promise<number> {
    return this.#greeted.reached
  }

  /** Resolves with what the hub says at the end. */
  get said(): Promise<Arrived> {
    return this.#said.reached
  }

  takeRoundTrips(): number[] {
    return this.#roundTrips.splice(0)
  }

  async pingAndWait(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#onPong = resolve
    })
    this.load.ping()
    await within(Promise.race([answered, this.said]))
  }

  pingEvery(ms: number): NodeJS.Timeout {
    return setInterval(() => this.load.ping(), ms)
  }

  /** Ends it, and waits until the hub has. @throws ProtocolError */
  async finish(): Promise<Arrived> {
    this.load.write(controlRecord(RECORD_BYE, new Uint8Array()))
    const arrived = await within(this.said)
    this.#channel.end()
    await within(this.#closed.reached)
    return arrived
  }

  #fail(reason: string): void {
    const error = new ProtocolError('measure', reason)
    this.#greeted.fail(error)
    this.#said.fail(error)
  }
}

/** @throws ProtocolError when it takes too long */
async function within<T>(event: Promise<T>, ms = PATIENCE_MS): Promise<T> {
  const over = new AbortController()
  const late = pause(ms, undefined, { signal: over.signal }).then(() => {
    throw new ProtocolError('measure', `the hub does not answer within ${ms / 1000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([event, late])
  } finally {
    over.abort()
  }
}
