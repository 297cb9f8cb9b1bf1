/** What the full-screen view shows of a session: its interface, its tunnels, its connection, and what it says. */
import { vlanText } from '#agent/lan/bridge-choice.ts'
import type { Session } from '#agent/session.ts'
import type { PortReading, RemoteReading } from '#agent/report.ts'
import type { Snapshot, ViewEvent, ViewPort, ViewSource } from '#net/view/source.ts'

/** Events from before the view opened that it is told. */
const KEPT_EVENTS = 100
const OWN_SWITCH = 'this machine'

export class SessionViewSource implements ViewSource {
  readonly title: string
  readonly #session: () => Session | undefined
  #tell: ((event: ViewEvent) => void) | undefined
  #before: ViewEvent[] = []

  constructor(version: string, session: () => Session | undefined) {
    this.title = `hconnect ${version}`
    this.#session = session
  }

  async read(): Promise<Snapshot> {
    const session = this.#open()
    const { link, local, remotes } = session.reading
    const ports = [
      viewPort(1, `nic:${link.nic}`, '', local),
      ...remotes.map((remote, i) =>
        viewPort(i + 2, `tunnel:${remote.bridge}`, descriptionOf(remote), remote.port),
      ),
    ]
    const { state, since, roundTripMs, reconnects, attempt, reason } = link
    const name = remotes.length > 1 ? `bridges ${link.bridge}` : `bridge ${link.bridge}`
    return {
      at: performance.now(),
      links: [{ name, address: link.hub, state, since, roundTripMs, reconnects, attempt, reason }],
      bridges: [{ name: OWN_SWITCH, isRemote: false, ports }, ...session.remotePorts],
      talkers: session.inspection.talkers.map((talker) => ({ ...talker, bridge: OWN_SWITCH })),
    }
  }

  readonly capture = (_bridge: string, port: number, file: string): Promise<() => Promise<string>> =>
    this.#open().inspection.capture(port, file)

  readonly impair = async (_bridge: string, port: number, text: string): Promise<void> =>
    this.#open().inspection.impair(port, text)

  onEvent(tell: (event: ViewEvent) => void): void {
    for (const event of this.#before) tell(event)
    this.#before = []
    this.#tell = tell
  }

  #open(): Session {
    const session = this.#session()
    if (session === undefined) throw new Error('the interface is not open yet')
    return session
  }

  /** Something happened, now. */
  say(text: string): void {
    const event = { time: Date.now(), text }
    if (this.#tell !== undefined) return this.#tell(event)
    this.#before = [...this.#before.slice(1 - KEPT_EVENTS), event]
  }
}

const descriptionOf = ({ vlan, outage }: RemoteReading): string =>
  [vlan === undefined ? '' : vlanText(vlan), outage === undefined ? '' : `away: ${outage.reason}`]
    .filter((text) => text !== '')
    .join(', ')

const viewPort = (number: number, name: string, description: string, reading: PortReading): ViewPort => ({
  id: String(number),
  number,
  name,
  description,
  up: reading.active,
  counters: reading.counters,
})
