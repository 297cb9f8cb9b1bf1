/** What happened, the newest at the bottom of a small pane, at the top of the whole log. */
import { heading, window, type Scene } from '#net/view/pane.ts'
import { clock } from '#net/view/quantity.ts'
import { line, span, type Line } from '#net/view/text.ts'

const row = (time: number, text: string, now: number): Line => [
  span(`${clock(time, now)} `, 'dim'),
  span(text),
]

/** The last ones. */
export function lastEventsPane(scene: Scene, width: number, height: number): Line[] {
  const { events, now, glyphs } = scene
  const rows = events.slice(-Math.max(1, height - 1)).map(({ time, text }) => row(time, text, now))
  if (rows.length === 0) rows.push(line('nothing yet', 'dim'))
  return [heading('Events', '', width, glyphs), ...rows].slice(0, height)
}

/** All of them that have the filter's text, the newest first. */
export function eventsPane(scene: Scene, width: number, height: number): Line[] {
  const { events, controls, now, glyphs } = scene
  const wanted = controls.filter.toLowerCase()
  const rows = events
    .filter(({ text }) => text.toLowerCase().includes(wanted))
    .toReversed()
    .map(({ time, text }) => row(time, text, now))
  if (rows.length === 0)
    rows.push(line(wanted === '' ? 'nothing yet' : `none has "${controls.filter}"`, 'dim'))
  const note = wanted === '' ? 'newest first' : `only "${controls.filter}", newest first`
  return [heading('Events', note, width, glyphs), ...window(rows, controls.scroll, height - 1)].slice(
    0,
    height,
  )
}
