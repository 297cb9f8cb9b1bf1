/** Events of ports and endpoints: what differs from the last look. Costs nothing while nobody looks. */
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { printable } from '#hub/vde/console/command.ts'
import {
  type DebugCategory,
  ENDPOINT_DOWN,
  ENDPOINT_UP,
  PORT_DESCRIPTION,
  PORT_DOWN,
  PORT_UP,
} from '#hub/vde/console/debug-category.ts'
import { type Endpoint, endpointsOf } from '#hub/vde/console/endpoint.ts'

interface Event {
  readonly category: DebugCategory
  readonly text: string
}

interface Seen {
  readonly up: boolean
  /** Descriptions by the number of the endpoint. */
  readonly endpoints: ReadonlyMap<number, string>
}

export class PortWatch {
  readonly #console: BridgeConsole
  #before: ReadonlyMap<number, Seen>

  constructor(console: BridgeConsole) {
    this.#console = console
    this.#before = look(console)
  }

  /** What has happened since the last call. */
  changes(): Event[] {
    const before = this.#before
    const after = look(this.#console)
    this.#before = after
    const events: Event[] = []
    for (const [number, was] of before) {
      const is = after.get(number)
      for (const id of was.endpoints.keys()) {
        if (is?.endpoints.has(id) !== true) events.push({ category: ENDPOINT_DOWN, text: plug(number, id) })
      }
      if (!is || (was.up && !is.up)) events.push({ category: PORT_DOWN, text: twoDigits(number) })
    }
    for (const [number, is] of after) {
      const was = before.get(number)
      if (!was || (is.up && !was.up)) events.push({ category: PORT_UP, text: twoDigits(number) })
      for (const [id, description] of is.endpoints) {
        const known = was?.endpoints.get(id)
        if (known === undefined) events.push({ category: ENDPOINT_UP, text: plug(number, id) })
        if (known !== description)
          events.push({
            category: PORT_DESCRIPTION,
            text: `${plug(number, id)} -> "${printable(description)}"`,
          })
      }
    }
    return events
  }
}

function look(console: BridgeConsole): Map<number, Seen> {
  const endpoints = endpointsOf(console)
  return new Map(
    console.bridge.switch.portList.map((entry) => [
      entry.number,
      { up: entry.isUp, endpoints: descriptionsOf(endpoints.get(entry.number) ?? []) },
    ]),
  )
}

const descriptionsOf = (endpoints: readonly Endpoint[]): Map<number, string> =>
  new Map(endpoints.map(({ id, description }) => [id, description]))
const twoDigits = (n: number): string => String(n).padStart(2, '0')
const plug = (port: number, id: number): string => `Port ${twoDigits(port)} FD ${String(id).padStart(2)}`
