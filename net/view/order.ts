/** Which rows are shown, and in which order. Pure. */
import type { BridgeRows, Reading } from '#net/view/model.ts'
import type { PortRow } from '#net/view/port-track.ts'
import type { TalkerRow } from '#net/view/talker-track.ts'

export interface SortKey<Row> {
  /** For people: `sorted by drops` */
  readonly name: string
  /** What it compares by, of two rows; undefined values do not occur. */
  readonly compare: (a: Row, b: Row) => number
}

const octetRate = (row: PortRow): number => row.in.octetsPerSecond + row.out.octetsPerSecond
const frames = (row: PortRow): number => row.in.frames + row.out.frames
const drops = (row: PortRow): number => row.in.drops + row.out.drops
const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** What `s` goes through. The first is how ports are shown at the start. */
export const PORT_SORTS: readonly [SortKey<PortRow>, ...SortKey<PortRow>[]] = [
  { name: 'number', compare: (a, b) => a.number - b.number },
  { name: 'name', compare: (a, b) => byText(a.name, b.name) },
  { name: 'rate', compare: (a, b) => octetRate(b) - octetRate(a) },
  { name: 'packets', compare: (a, b) => frames(b) - frames(a) },
  { name: 'drops', compare: (a, b) => drops(b) - drops(a) },
]

export const TALKER_SORTS: readonly [SortKey<TalkerRow>, ...SortKey<TalkerRow>[]] = [
  { name: 'rate', compare: (a, b) => b.octetsPerSecond - a.octetsPerSecond || b.octets - a.octets },
  { name: 'bytes', compare: (a, b) => b.octets - a.octets },
  { name: 'packets', compare: (a, b) => b.frames - a.frames },
  { name: 'address', compare: (a, b) => byText(a.address, b.address) || a.vlan - b.vlan },
]

/** Order of one list. */
export interface Order {
  /** Index of its sort keys. */
  readonly key: number
  readonly isReversed: boolean
}

export const FIRST_ORDER: Order = { key: 0, isReversed: false }

export const sortName = (sorts: readonly { readonly name: string }[], { key, isReversed }: Order): string =>
  `${sorts[key]?.name ?? ''}${isReversed ? ', reversed' : ''}`

const has = (filter: string, ...texts: readonly string[]): boolean => {
  const wanted = filter.toLowerCase()
  return texts.some((text) => text.toLowerCase().includes(wanted))
}

/** Stable: rows that compare alike stay in the order that they came in. */
function sorted<Row>(rows: readonly Row[], sorts: readonly SortKey<Row>[], order: Order): Row[] {
  const sort = sorts[order.key]
  const sign = order.isReversed ? -1 : 1
  return sort === undefined ? [...rows] : rows.toSorted((a, b) => sign * sort.compare(a, b))
}

/** Ports whose name, description, bridge or number has the filter's text, by bridge; no bridge without ports then. */
export function shownBridges(reading: Reading, filter: string, order: Order): BridgeRows[] {
  return reading.bridges
    .map((bridge) => ({
      ...bridge,
      ports: sorted(
        bridge.ports.filter((row) => has(filter, row.name, row.description, row.bridge)),
        PORT_SORTS,
        order,
      ),
    }))
    .filter(({ ports }) => filter === '' || ports.length > 0)
}

/** Talkers whose address, bridge or VLAN (`vlan7`) has the filter's text. */
export const shownTalkers = (reading: Reading, filter: string, order: Order): TalkerRow[] =>
  sorted(
    (reading.talkers ?? []).filter((row) => has(filter, row.address, row.bridge, `vlan${row.vlan}`)),
    TALKER_SORTS,
    order,
  )
