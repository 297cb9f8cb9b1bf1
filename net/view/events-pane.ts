/** What happened, the newest at the bottom of a small pane, at the top of the whole log. */
import { heading, scrolled, type Scene } from '#net/view/pane.ts'
import { clock } from '#net/view/quantity.ts'
import { clip, line, span, wrap, type Line } from '#net/view/text.ts'

/** As many rows as the text takes, which begins in the same column in all of them. */
function wrapped(time: number, text: string, now: number, width: number): Line[] {
  const stamp = `${clock(time, now)} `
  return wrap(text, Math.max(1, width - stamp.length)).map((row, i) => [
    span(i === 0 ? stamp : ' '.repeat(stamp.length), 'dim'),
    span(row),
  ])
}

/** The last ones. */
export function lastEventsPane(scene: Scene, width: number, height: number): Line[] {
  const { events, now, glyphs } = scene
  const rows = events.slice(-Math.max(1, height - 1)).map(({ time, text }): Line => {
    const stamp = `${clock(time, now)} `
    return [span(stamp, 'dim'), span(clip(text, width - stamp.length, glyphs.more))]
  })
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
    .flatMap(({ time, text }) => wrapped(time, text, now, width))
  if (rows.length === 0)
    rows.push(line(wanted === '' ? 'nothing yet' : `none has "${controls.filter}"`, 'dim'))
  const note = wanted === '' ? 'newest first' : `only "${controls.filter}", newest first`
  return [heading('Events', note, width, glyphs), ...scrolled(rows, controls, height - 1)].slice(0, height)
}
