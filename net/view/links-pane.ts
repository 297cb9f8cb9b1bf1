/** Connections: the one of an agent in two rows, those of a hub as a sum; and the table of all. */
import { heading, scrolled, stateStyle, type Scene } from '#net/view/pane.ts'
import { clock, duration, milliseconds } from '#net/view/quantity.ts'
import type { ViewLink } from '#net/view/source.ts'
import { cells, place, titles, type Column } from '#net/view/table.ts'
import { clip, line, span, type Line } from '#net/view/text.ts'

const stateText = ({ state }: ViewLink): string => (state === 'connected' ? state : state.toUpperCase())

const sinceText = ({ since }: ViewLink, now: number): string =>
  since === undefined ? '' : `since ${clock(since, now)}`

const roundTripText = ({ roundTripMs }: ViewLink): string =>
  roundTripMs === undefined ? '-' : milliseconds(roundTripMs)

/** What is worth knowing before all else, at the top of the overview. */
export function linkLines({ reading, now, glyphs }: Scene, width: number): Line[] {
  const [first] = reading.links
  if (first === undefined) return [line('no connections', 'dim')]
  if (reading.links.length > 1) return [sumLine(reading.links)]
  const state = span(stateText(first), stateStyle(first.state))
  if (first.state === 'connected') {
    const to = first.address === '' ? '' : ` to ${first.address}`
    const where = first.name === '' ? '' : `, ${first.name}`
    const up = first.since === undefined ? '' : `  up ${duration(now - first.since)}`
    return [
      [state, span(`${to}${where}${up}`)],
      [
        span(
          `RTT ${roundTripText(first)}   reconnects ${first.reconnects}   ${sinceText(first, now)}`,
          'dim',
        ),
      ],
    ]
  }
  const since = first.since === undefined ? '' : ` ${sinceText(first, now)}`
  const attempt = first.attempt > 0 ? `, attempt ${first.attempt}` : ''
  const reason = first.reason === '' ? 'no reason known yet' : first.reason
  return [
    [state, span(`${since}${attempt}   ${first.address}   reconnects ${first.reconnects}`)],
    line(reason.slice(0, width), 'bad'),
    ...(reason.length > width ? [line(clip(reason.slice(width), width, glyphs.more), 'bad')] : []),
  ]
}

function sumLine(links: readonly ViewLink[]): Line {
  const connected = links.filter(({ state }) => state === 'connected').length
  const others = links.length - connected
  return [
    span(`${links.length} connections: `),
    span(`${connected} connected`, connected > 0 ? 'good' : 'plain'),
    span(', '),
    span(`${others} not`, others > 0 ? 'bad' : 'plain'),
  ]
}

export function linksPane(scene: Scene, width: number, height: number): Line[] {
  const { reading, controls, now, glyphs } = scene
  const columns: Column<ViewLink>[] = [
    {
      title: 'connection',
      width: 12,
      align: 'left',
      importance: 0,
      widest: 40,
      text: ({ name }) => name,
      style: () => 'strong',
    },
    {
      title: 'address',
      width: 16,
      align: 'left',
      importance: 3,
      widest: 40,
      text: ({ address }) => address,
    },
    {
      title: 'state',
      width: 12,
      align: 'left',
      importance: 0,
      text: stateText,
      style: ({ state }) => stateStyle(state),
    },
    {
      title: 'for',
      width: 12,
      align: 'right',
      importance: 2,
      text: ({ since }) => (since === undefined ? '-' : duration(now - since)),
    },
    { title: 'RTT', width: 8, align: 'right', importance: 1, text: roundTripText },
    {
      title: 'reconnects',
      width: 10,
      align: 'right',
      importance: 4,
      text: ({ reconnects }) => String(reconnects),
    },
  ]
  const placed = place(columns, width)
  const wanted = controls.filter.toLowerCase()
  const shown = reading.links.filter(({ name, address }) =>
    `${name} ${address}`.toLowerCase().includes(wanted),
  )
  const rows = shown.flatMap((link): Line[] => [
    cells(placed, link, glyphs),
    ...(link.state === 'connected' || link.reason === ''
      ? []
      : [line(`  attempt ${link.attempt}: ${link.reason}`, 'bad')]),
  ])
  if (rows.length === 0) rows.push(line('none', 'dim'))
  return [
    heading('Links', wanted === '' ? '' : `only "${controls.filter}"`, width, glyphs),
    titles(placed, glyphs),
    ...scrolled(rows, controls, height - 2),
  ].slice(0, height)
}
