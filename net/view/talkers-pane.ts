/** Who sends most: addresses by VLAN. */
import type { TalkerRow } from '#net/view/talker-track.ts'
import { TALKER_SORTS, shownTalkers, sortName } from '#net/view/order.ts'
import { heading, scrolled, window, type Scene } from '#net/view/pane.ts'
import { count, rate, scaled } from '#net/view/quantity.ts'
import { cells, place, titles, type Column } from '#net/view/table.ts'
import { line, type Line } from '#net/view/text.ts'

const PACKETS = 10

/** @param isWhole  all of them, from where the user has scrolled to; else the first ones */
export function talkersPane(scene: Scene, width: number, height: number, isWhole: boolean): Line[] {
  const { reading, controls, glyphs } = scene
  const { units, filter, talkerOrder } = controls
  const note = [
    ...(filter === '' ? [] : [`only "${filter}"`]),
    `by ${sortName(TALKER_SORTS, talkerOrder)}`,
    units.rate,
  ].join(', ')
  const wider = units.base === 1000 ? 8 : 9
  const columns: Column<TalkerRow>[] = [
    { title: '', width: 1, align: 'left', importance: 9, text: () => '' },
    {
      title: 'address',
      width: 17,
      align: 'left',
      importance: 0,
      text: ({ address }) => address,
      style: () => 'strong',
    },
    {
      title: 'VLAN',
      width: 4,
      align: 'right',
      importance: 1,
      text: ({ vlan }) => (vlan === 0 ? '-' : String(vlan)),
    },
    {
      title: 'bridge',
      width: 6,
      align: 'left',
      importance: 6,
      widest: 24,
      text: ({ bridge }) => bridge,
    },
    { title: 'port', width: 4, align: 'right', importance: 5, text: ({ port }) => String(port) },
    {
      title: 'packets',
      width: PACKETS,
      align: 'right',
      importance: 3,
      text: ({ frames }) => count(frames, PACKETS),
    },
    {
      title: 'bytes',
      width: wider,
      align: 'right',
      importance: 4,
      text: ({ octets }) => scaled(octets, units.base),
    },
    {
      title: units.rate,
      width: wider,
      align: 'right',
      importance: 2,
      text: ({ octetsPerSecond }) => rate(octetsPerSecond, units),
    },
  ]
  const placed = place(columns, width)
  const shown = shownTalkers(reading, filter, talkerOrder)
  const seen = isWhole ? scrolled(shown, controls, height - 2) : window(shown, 0, height - 2)
  const rows = seen.map((row) => cells(placed, row, glyphs))
  if (reading.talkers === undefined) rows.push(line('  not counted here', 'dim'))
  else if (rows.length === 0)
    rows.push(line(filter === '' ? '  nobody yet' : `  nobody has "${filter}"`, 'dim'))
  return [heading('Talkers', note, width, glyphs), titles(placed, glyphs), ...rows].slice(0, height)
}
