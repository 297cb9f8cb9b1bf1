/** The table of ports: two rows for each, what came in and what went out, or one row where the screen is wide. */
import type { PortFlow, PortRow } from '#net/view/model.ts'
import { PORT_SORTS, shownBridges, sortName } from '#net/view/order.ts'
import { heading, window, type Scene } from '#net/view/pane.ts'
import { count, rate, scaled, type Units } from '#net/view/quantity.ts'
import { cells, place, titles, type Column } from '#net/view/table.ts'
import { line, restyle, type Line } from '#net/view/text.ts'

/** Columns from which a port takes one row. */
const WIDE = 130
const WIDEST_NAME = 44

const PACKETS = 10
const OCTETS = 8
const RATE = 8
const DROPS = 7

/** `in vlan 3, queue-full 12; out delay 9`, '' when there are none. */
export const dropsText = (port: PortRow): string =>
  (['in', 'out'] as const)
    .filter((direction) => port[direction].drops > 0)
    .map((direction) => {
      const reasons = port[direction].reasons.map(([reason, frames]) => `${reason} ${frames}`)
      return `${direction} ${reasons.join(', ')}`
    })
    .join('; ')

/** Rows that the whole table would take, headings included. */
export function portRows(scene: Scene, width: number): number {
  const { reading, controls } = scene
  const bridges = shownBridges(reading, controls.filter, controls.portOrder)
  const each = width >= WIDE ? 1 : 2
  const ports = bridges.reduce((sum, bridge) => sum + bridge.ports.length, 0)
  return 2 + ports * each + (reading.bridges.length > 1 ? bridges.length : 0)
}

export function portsPane(scene: Scene, width: number, height: number): Line[] {
  const { reading, controls, glyphs } = scene
  const { filter, portOrder, units } = controls
  const bridges = shownBridges(reading, filter, portOrder)
  const selected = controls.selectedPort(reading)
  const note = [...(filter === '' ? [] : [`only "${filter}"`]), `by ${sortName(PORT_SORTS, portOrder)}`].join(
    ', ',
  )
  const [only] = reading.bridges.length === 1 ? reading.bridges : []
  const title = only === undefined ? 'Ports' : `Ports of ${only.name}`
  const isWide = width >= WIDE
  const view = isWide ? wideTable(scene, width) : narrowTable(scene, width)
  const rows: Line[] = []
  let selectedAt = 0
  for (const bridge of bridges) {
    if (reading.bridges.length > 1)
      rows.push(line(`${bridge.name}${bridge.isRemote ? ', at the hub' : ''}`, 'strong'))
    for (const port of bridge.ports) {
      const isSelected = port.key === selected?.key
      if (isSelected) selectedAt = rows.length
      for (const row of view.rows(port, isSelected)) rows.push(isSelected ? restyle(row, 'selected') : row)
    }
  }
  if (rows.length === 0)
    rows.push(line(filter === '' ? 'no ports' : `no port has "${filter}"; Esc shows all`, 'dim'))
  const room = height - 2
  const each = isWide ? 1 : 2
  const first = selectedAt + each <= room ? 0 : selectedAt + each - room
  return [
    heading(title, `${note}, ${units.rate}`, width, glyphs),
    view.titles,
    ...window(rows, first, room),
  ].slice(0, height)
}

interface TableView {
  readonly titles: Line
  rows(port: PortRow, isSelected: boolean): Line[]
}

interface Half {
  readonly port: PortRow
  readonly flow: PortFlow
  readonly isIn: boolean
  readonly mark: string
}

/** Names of the figures of a direction, for the columns of both tables. */
function figures<Row>(units: Units, flowOf: (row: Row) => PortFlow): Column<Row>[] {
  const column = (
    title: string,
    width: number,
    importance: number,
    text: (flow: PortFlow) => string,
  ): Column<Row> => ({ title, width, align: 'right', importance, text: (row) => text(flowOf(row)) })
  const wider = units.base === 1000 ? 0 : 1
  return [
    column('packets', PACKETS, 3, ({ frames }) => count(frames, PACKETS)),
    column('bytes', OCTETS + wider, 5, ({ octets }) => scaled(octets, units.base)),
    column('pkt/s', RATE, 4, ({ framesPerSecond }) => scaled(framesPerSecond, 1000)),
    column(units.rate, RATE + wider, 1, ({ octetsPerSecond }) => rate(octetsPerSecond, units)),
    {
      ...column('drops', DROPS, 2, ({ drops }) => count(drops, DROPS)),
      style: (row) => (flowOf(row).drops > 0 ? 'bad' : 'dim'),
    },
  ]
}

function narrowTable({ controls, glyphs }: Scene, width: number): TableView {
  const columns: Column<Half>[] = [
    { title: '', width: 1, align: 'left', importance: 0, text: ({ mark }) => mark },
    {
      title: '#',
      width: 3,
      align: 'right',
      importance: 6,
      text: ({ port, isIn }) => (isIn ? String(port.number) : ''),
    },
    {
      title: 'port',
      width: 10,
      align: 'left',
      importance: 0,
      widest: Infinity,
      text: ({ port, isIn }) => (isIn ? port.name : `${port.up ? 'up' : 'DOWN'}  ${port.description}`),
      style: ({ port, isIn }) => (isIn ? 'strong' : stateOf(port)),
    },
    { title: '', width: 3, align: 'left', importance: 0, text: ({ isIn }) => (isIn ? 'in' : 'out') },
    ...figures<Half>(controls.units, ({ flow }) => flow),
  ]
  const placed = place(columns, width)
  return {
    titles: titles(placed, glyphs),
    rows: (port, isSelected) =>
      [true, false].map((isIn) => {
        const mark = isSelected && isIn ? glyphs.marker : ''
        return cells(placed, { port, isIn, flow: isIn ? port.in : port.out, mark }, glyphs)
      }),
  }
}

interface Whole {
  readonly port: PortRow
  readonly mark: string
}

function wideTable({ controls, glyphs }: Scene, width: number): TableView {
  const { units } = controls
  const direction = (name: string, flowOf: (row: Whole) => PortFlow): Column<Whole>[] => {
    const all = figures(units, flowOf)
    return [{ title: name, width: 4, align: 'right', importance: 0, text: () => '' }, ...all]
  }
  const columns: Column<Whole>[] = [
    { title: '', width: 1, align: 'left', importance: 0, text: ({ mark }) => mark },
    { title: '#', width: 3, align: 'right', importance: 0, text: ({ port }) => String(port.number) },
    {
      title: 'port',
      width: 14,
      align: 'left',
      importance: 0,
      widest: WIDEST_NAME,
      text: ({ port }) => (port.description === '' ? port.name : `${port.name}  ${port.description}`),
      style: () => 'strong',
    },
    {
      title: 'state',
      width: 5,
      align: 'left',
      importance: 0,
      text: ({ port }) => (port.up ? 'up' : 'DOWN'),
      style: ({ port }) => stateOf(port),
    },
    ...direction('in:', ({ port }) => port.in),
    ...direction('out:', ({ port }) => port.out),
    {
      title: ' why dropped',
      width: 14,
      align: 'left',
      importance: 1,
      widest: Infinity,
      text: ({ port }) => ` ${dropsText(port)}`,
      style: () => 'bad',
    },
  ]
  const placed = place(columns, width)
  return {
    titles: titles(placed, glyphs),
    rows: (port, isSelected) => [cells(placed, { port, mark: isSelected ? glyphs.marker : '' }, glyphs)],
  }
}

const stateOf = (port: PortRow): 'good' | 'bad' => (port.up ? 'good' : 'bad')
