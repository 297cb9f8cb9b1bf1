/** Rates of the selected port in the last minutes, and why it dropped what it dropped. */
import { drawGraph, scaleTop } from '#net/view/graph.ts'
import { HISTORY_SECONDS } from '#net/view/history.ts'
import type { PortRow } from '#net/view/port-track.ts'
import { heading, type Scene } from '#net/view/pane.ts'
import { dropsText } from '#net/view/port-tables.ts'
import { rate } from '#net/view/quantity.ts'
import { clip, left, line, span, type Line } from '#net/view/text.ts'

/** `out `, and `peak  12.3 M` after the graph. */
const LABEL = 4
const FIGURES = 16
const SMALLEST_GRAPH = 8
const HEADING = 1
const DROPS = 1

/** Rows: a heading, as many for each direction as there is room for, and one of drops. */
export function ratesPane(scene: Scene, width: number, height: number): Line[] {
  const { reading, controls, glyphs, captures } = scene
  const port = controls.selectedPort(reading)
  if (port === undefined)
    return [heading('Rates', '', width, glyphs), line('no port', 'dim')].slice(0, height)
  const file = captures.get(port.key)
  const capturing = file === undefined ? '' : `, capturing to ${clip(file, 30, glyphs.more)}`
  const title = `${port.number} ${clip(port.name, 30, glyphs.more)}${capturing}`
  const each = Math.max(1, Math.floor((height - HEADING - DROPS) / 2))
  return [
    heading(title, `last ${HISTORY_SECONDS / 60} min, ${controls.units.rate}`, width, glyphs),
    ...graph(scene, port, 'in', width, each),
    ...graph(scene, port, 'out', width, each),
    dropsLine(port, width, glyphs.more),
  ].slice(0, height)
}

function graph(
  { controls, glyphs }: Scene,
  port: PortRow,
  direction: 'in' | 'out',
  width: number,
  height: number,
): Line[] {
  const columns = Math.max(SMALLEST_GRAPH, width - LABEL - FIGURES)
  const values = port.history.columns(direction, columns)
  const largest = Math.max(...values)
  const perOctet = controls.units.perOctet
  const top = scaleTop(largest * perOctet) / perOctet
  const now = port[direction].octetsPerSecond
  const figures = [
    `  peak ${rate(largest, controls.units).padStart(8)}`,
    `  now  ${rate(now, controls.units).padStart(8)}`,
  ]
  return drawGraph(values, top, height, glyphs).map((row, i) => [
    span(i === 0 ? left(direction, LABEL, '') : ' '.repeat(LABEL), 'strong'),
    span(row, direction),
    span(figures[i] ?? '', i === 0 ? 'dim' : 'plain'),
  ])
}

function dropsLine(port: PortRow, width: number, more: string): Line {
  const text = dropsText(port)
  if (text === '') return [span('drops: none', 'dim')]
  return [span('drops: ', 'strong'), span(clip(text, width - 7, more), 'bad')]
}
