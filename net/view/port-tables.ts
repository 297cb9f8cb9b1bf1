/** What the table of ports has in its columns: two rows for each port, or one where the screen is wide. */
import type { PortFlow, PortRow } from '#net/view/port-track.ts'
import type { Glyphs } from '#net/view/glyphs.ts'
import type { Scene } from '#net/view/pane.ts'
import { count, rate, scaled, type Units } from '#net/view/quantity.ts'
import { cells, place, titles, type Column } from '#net/view/table.ts'
import type { Line } from '#net/view/text.ts'

/** Columns from which a port takes one row. */
const WIDE = 130
const WIDEST_NAME = 44

const PACKETS = 10
const OCTETS = 8
const RATE = 8
const DROPS = 7
const COMPACT_PACKETS = 9
/** `out byte/s` */
const COMPACT_RATE = 10

export interface PortTable {
  readonly titles: Line
  /** Rows that a port takes. */
  readonly each: 1 | 2
  /** @param which  0: the first row of the port, or its only one */
  row(port: PortRow, which: number, isSelected: boolean): Line
}

/** @param isCompact  one row a port, with less in it, where the screen is not wide */
export function portTable(scene: Scene, width: number, isCompact: boolean): PortTable {
  if (width >= WIDE) return wideTable(scene, width)
  return isCompact ? compactTable(scene, width) : narrowTable(scene, width)
}

/** `in vlan 3, queue-full 12; out delay 9`, '' when there are none. */
export const dropsText = (port: PortRow): string =>
  (['in', 'out'] as const)
    .filter((direction) => port[direction].drops > 0)
    .map((direction) => {
      const reasons = port[direction].reasons.map(([reason, frames]) => `${reason} ${frames}`)
      return `${direction} ${reasons.join(', ')}`
    })
    .join('; ')

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

function narrowTable({ controls, glyphs }: Scene, width: number): PortTable {
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
    each: 2,
    row: (port, which, isSelected) => {
      const isIn = which === 0
      const mark = isSelected && isIn ? glyphs.marker : ''
      return cells(placed, { port, isIn, flow: isIn ? port.in : port.out, mark }, glyphs)
    },
  }
}

interface Whole {
  readonly port: PortRow
  readonly mark: string
}

function compactTable({ controls, glyphs }: Scene, width: number): PortTable {
  const { units } = controls
  const direction = (name: string, flowOf: (row: Whole) => PortFlow): Column<Whole>[] => {
    return [
      {
        title: `${name} pkts`,
        width: COMPACT_PACKETS,
        align: 'right',
        importance: 2,
        text: (row) => count(flowOf(row).frames, COMPACT_PACKETS),
      },
      {
        title: `${name} ${units.rate}`,
        width: COMPACT_RATE,
        align: 'right',
        importance: 0,
        text: (row) => rate(flowOf(row).octetsPerSecond, units),
      },
    ]
  }
  const drops = ({ port }: Whole): number => port.in.drops + port.out.drops
  const columns: Column<Whole>[] = [
    ...nameColumns(10, Infinity),
    ...direction('in', ({ port }) => port.in),
    ...direction('out', ({ port }) => port.out),
    {
      title: 'drops',
      width: DROPS,
      align: 'right',
      importance: 1,
      text: (row) => count(drops(row), DROPS),
      style: (row) => (drops(row) > 0 ? 'bad' : 'dim'),
    },
  ]
  return onePortOneRow(columns, width, glyphs)
}

/** Mark, number, name and state of a port that has one row. */
function nameColumns(width: number, widest: number): Column<Whole>[] {
  return [
    { title: '', width: 1, align: 'left', importance: 0, text: ({ mark }) => mark },
    { title: '#', width: 3, align: 'right', importance: 3, text: ({ port }) => String(port.number) },
    {
      title: 'port',
      width,
      align: 'left',
      importance: 0,
      widest,
      text: ({ port }) => (port.description === '' ? port.name : `${port.name}  ${port.description}`),
      style: () => 'strong',
    },
    {
      title: '',
      width: 4,
      align: 'left',
      importance: 0,
      text: ({ port }) => (port.up ? 'up' : 'DOWN'),
      style: ({ port }) => stateOf(port),
    },
  ]
}

function onePortOneRow(columns: readonly Column<Whole>[], width: number, glyphs: Glyphs): PortTable {
  const placed = place(columns, width)
  return {
    titles: titles(placed, glyphs),
    each: 1,
    row: (port, _which, isSelected) => cells(placed, { port, mark: isSelected ? glyphs.marker : '' }, glyphs),
  }
}

function wideTable({ controls, glyphs }: Scene, width: number): PortTable {
  const { units } = controls
  const direction = (name: string, flowOf: (row: Whole) => PortFlow): Column<Whole>[] => {
    const all = figures(units, flowOf)
    return [{ title: name, width: 4, align: 'right', importance: 0, text: () => '' }, ...all]
  }
  const columns: Column<Whole>[] = [
    ...nameColumns(14, WIDEST_NAME),
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
  return onePortOneRow(columns, width, glyphs)
}

const stateOf = (port: PortRow): 'good' | 'bad' => (port.up ? 'good' : 'bad')
