/** A whole hub for the full-screen view: all bridges, ports and tunnels, asked for over the operators' socket. */
import { ProtocolError, reasonOf, SystemError } from '#net/base/errors.ts'
import type { Snapshot, ViewEvent, ViewLink, ViewPort, ViewSource } from '#net/view/source.ts'
import type { RpcParams } from '#net/base/rpc.ts'
import { type FabricReading, parseWatch, type WatchAnswer } from '#hub/top/answer.ts'
import { captureToFile } from '#hub/top/capture-file.ts'

/** Times that one who looks on may be late before the fabric takes him for gone. */
const PATIENCE = 5
const LEAST_PATIENCE_S = 10
const MOST_PATIENCE_S = 600
/** Events that wait for one who listens. */
const MOST_BEFORE = 200

export interface HubSourceOptions {
  readonly title: string
  /** Undefined: all. */
  readonly bridge: string | undefined
  /** Between two readings, about. */
  readonly intervalSeconds: number
  /** Asks the control process. */
  readonly ask: (op: string, params: RpcParams) => Promise<unknown>
  /** Where names of files are from, absolute. */
  readonly directory: string
}

export class HubSource implements ViewSource {
  readonly title: string
  readonly #options: HubSourceOptions
  /** Until somebody listens. */
  #before: ViewEvent[] = []
  #tell = (event: ViewEvent): void => {
    this.#before = [...this.#before.slice(1 - MOST_BEFORE), event]
  }
  /** By topology: when its fabric began, and the number of the last event that it told. */
  readonly #known = new Map<string, { readonly began: number; readonly lastEvent: number }>()
  /** Topologies whose fabrics did not answer last. */
  #away = new Set<string>()
  #isAway = false

  constructor(options: HubSourceOptions) {
    this.title = options.title
    this.#options = options
  }

  onEvent(tell: (event: ViewEvent) => void): void {
    this.#tell = tell
    for (const event of this.#before) tell(event)
    this.#before = []
  }

  async read(): Promise<Snapshot> {
    let answer = await this.#ask()
    if (this.#forgetOld(answer.fabrics)) answer = await this.#ask()
    this.#noteAway(answer)
    for (const fabric of answer.fabrics) this.#tellEvents(fabric)
    return {
      at: performance.now(),
      links: answer.fabrics.flatMap(({ links }) => links.map(viewLink)),
      bridges: answer.fabrics.flatMap(({ bridges, ports, began }) =>
        bridges.map((name) => ({
          name,
          isRemote: false,
          ports: ports.filter(({ bridge }) => bridge === name).map((port) => viewPort(port, began)),
        })),
      ),
      talkers: answer.fabrics.flatMap(({ talkers }) => talkers),
    }
  }

  /** @returns whether a fabric is another one than before, whose events have numbers of their own */
  #forgetOld(fabrics: readonly FabricReading[]): boolean {
    let isOther = false
    for (const { topology, began } of fabrics) {
      const before = this.#known.get(topology)
      if (before !== undefined && before.began !== began) {
        this.#say(`${nameOf(topology)} was started again: counters began at 0`)
        isOther ||= before.lastEvent > 0
        this.#known.set(topology, { began, lastEvent: 0 })
      }
    }
    return isOther
  }

  #noteAway({ fabrics, away }: WatchAnswer): void {
    for (const { topology, reason } of away)
      if (!this.#away.has(topology)) this.#say(`${nameOf(topology)} does not answer: ${reason}`)
    for (const { topology } of fabrics)
      if (this.#away.has(topology)) this.#say(`${nameOf(topology)} answers again`)
    this.#away = new Set(away.map(({ topology }) => topology))
    for (const topology of this.#known.keys())
      if (!this.#away.has(topology) && !fabrics.some((fabric) => fabric.topology === topology)) {
        this.#say(`${topology} has stopped`)
        this.#known.delete(topology)
      }
  }

  #tellEvents({ topology, began, events }: FabricReading): void {
    for (const { time, text } of events) this.#tell({ time, text })
    const lastEvent = events.at(-1)?.number ?? this.#known.get(topology)?.lastEvent ?? 0
    this.#known.set(topology, { began, lastEvent })
  }

  readonly capture = (bridge: string, port: number, file: string): Promise<() => Promise<string>> =>
    captureToFile(bridge, port, file, this.#options.directory)

  readonly impair = async (bridge: string, port: number, text: string): Promise<void> => {
    const settings = { impair: text === '' ? 'none' : text }
    await this.#options.ask('port.set', { bridge, port, settings })
  }

  /** @throws ProtocolError, SystemError that say what to do */
  async #ask(): Promise<WatchAnswer> {
    const { bridge, intervalSeconds, ask } = this.#options
    const seconds = Math.min(Math.max(PATIENCE * intervalSeconds, LEAST_PATIENCE_S), MOST_PATIENCE_S)
    const after = Object.fromEntries(
      [...this.#known].map(([topology, { lastEvent }]) => [topology, lastEvent]),
    )
    const request = { ...(bridge !== undefined && { bridge }), seconds, after }
    try {
      const answer = parseWatch(await ask('watch', request))
      if (this.#isAway) this.#say('the hub answers again')
      this.#isAway = false
      return answer
    } catch (error) {
      this.#isAway = true
      throw explained(error)
    }
  }

  #say(text: string): void {
    this.#tell({ time: Date.now(), text })
  }
}

const nameOf = (topology: string): string =>
  topology === '' ? 'the forwarding process' : `the forwarding process of ${topology}`

/** Errors of the socket name a path that says nothing to people. */
function explained(error: unknown): unknown {
  const isGone = error instanceof ProtocolError && error.code === 'disconnected'
  if (error instanceof SystemError || isGone)
    return new SystemError(error.code, `the hub has stopped (${reasonOf(error)})`, { cause: error })
  if (error instanceof ProtocolError && error.code === 'unknown-op')
    return new ProtocolError('unknown-op', 'the hub that runs is of an older version (start it again)')
  return error
}

function viewPort(port: FabricReading['ports'][number], began: number): ViewPort {
  const { bridge, number, description, up, counters } = port
  const name = port.name === '' ? description : port.name
  return {
    // Numbers are used again; what a port is called stays while its agent is away.
    id: [began, bridge, number, description].join(' '),
    number,
    name,
    description: name.endsWith(description) ? '' : description,
    up,
    counters,
  }
}

const viewLink = (link: FabricReading['links'][number]): ViewLink => ({
  name: `${link.name} on ${link.bridge} port ${link.port}`,
  address: link.address,
  state: link.connected ? 'connected' : 'disconnected',
  since: link.since,
  roundTripMs: link.roundTripMs ?? undefined,
  reconnects: link.reconnects,
  attempt: 0,
  reason: link.reason,
})
