/** The ports of all bridges, as far as they fit: the selected one is always seen. */
import type { PortRow } from '#net/view/port-track.ts'
import { PORT_SORTS, shownBridges, sortName } from '#net/view/order.ts'
import { heading, window, type Scene } from '#net/view/pane.ts'
import { portTable } from '#net/view/port-tables.ts'
import { line, restyle, type Line } from '#net/view/text.ts'

const HEADINGS = 2

/** One row: text, or one of a port's. They are made when it is known which are seen. */
type Entry = Line | { readonly port: PortRow; readonly which: number }

/** Rows that the whole table would take, headings included. */
export function portRows(scene: Scene, width: number, isCompact: boolean): number {
  const { reading, controls } = scene
  const bridges = shownBridges(reading, controls.filter, controls.portOrder)
  const ports = bridges.reduce((sum, bridge) => sum + bridge.ports.length, 0)
  return (
    HEADINGS +
    ports * portTable(scene, width, isCompact).each +
    (reading.bridges.length > 1 ? bridges.length : 0)
  )
}

/** @param isCompact  one row a port, with less in it */
export function portsPane(scene: Scene, width: number, height: number, isCompact: boolean): Line[] {
  const { reading, controls, glyphs } = scene
  const { filter, portOrder, units } = controls
  const selected = controls.selectedPort(reading)
  const table = portTable(scene, width, isCompact)
  const entries: Entry[] = []
  let selectedAt = 0
  for (const bridge of shownBridges(reading, filter, portOrder)) {
    if (reading.bridges.length > 1)
      entries.push(line(`${bridge.name}${bridge.isRemote ? ', at the hub' : ''}`, 'strong'))
    for (const port of bridge.ports) {
      if (port.key === selected?.key) selectedAt = entries.length
      for (let which = 0; which < table.each; which++) entries.push({ port, which })
    }
  }
  if (entries.length === 0)
    entries.push(line(filter === '' ? 'no ports' : `no port has "${filter}"; Esc shows all`, 'dim'))
  const room = height - HEADINGS
  const first = Math.max(0, selectedAt + table.each - room)
  const rows = window(entries, first, room).map((entry) => {
    if (!('port' in entry)) return entry
    const isSelected = entry.port.key === selected?.key
    const row = table.row(entry.port, entry.which, isSelected)
    return isSelected ? restyle(row, 'selected') : row
  })
  const [only] = reading.bridges.length === 1 ? reading.bridges : []
  const title = only === undefined ? 'Ports' : `Ports of ${only.name}`
  const filtered = filter === '' ? '' : `only "${filter}", `
  const note = `${filtered}by ${sortName(PORT_SORTS, portOrder)}, ${units.rate}`
  return [heading(title, note, width, glyphs), table.titles, ...rows].slice(0, height)
}
