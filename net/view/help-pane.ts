/** The overlay that says what the keys do. */
import { TABS } from '#net/view/controls.ts'
import { heading, scrolled, type Scene } from '#net/view/pane.ts'
import { left, line, span, wrap, type Line } from '#net/view/text.ts'

/** Key and what it does; as docs/view.md has them. */
const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  [`1 to ${TABS.length}, Tab`, TABS.join(', ')],
  ['arrows, j, k', 'select a port; scroll a list'],
  ['PgUp, PgDn', 'ten further; Home, End: to the ends'],
  ['s, S', 'sort by the next column; the other way round'],
  ['/', 'show only what has this text in its name or address'],
  ['Esc', 'show all again'],
  ['f, space', 'freeze, and go on; nothing is read meanwhile'],
  ['r', "count from now; the switch's counters stay as they are"],
  ['u', 'bit/s or byte/s, 1000 or 1024'],
  ['c', 'capture the selected port to a file; again: stop'],
  ['i', 'impair the selected port: delay=50ms,loss=1%; nothing: end it'],
  ['Ctrl-L', 'draw all anew'],
  ['Ctrl-Z', 'stop the program, the tunnel of hconnect with it; fg goes on'],
  ['q, Ctrl-C', 'end; asks first, a second q or Ctrl-C confirms'],
]
const KEY_WIDTH = 14

export function helpPane({ title, controls, glyphs }: Scene, width: number, height: number): Line[] {
  const rows = KEYS.flatMap(([keys, meaning]) =>
    wrap(meaning, Math.max(1, width - KEY_WIDTH - 1)).map((text, i): Line => [
      span(left(i === 0 ? keys : '', KEY_WIDTH, glyphs.more), 'strong'),
      span(' '),
      span(text),
    ]),
  )
  return [
    heading(`Keys of ${title}`, 'any other key closes this', width, glyphs),
    ...scrolled(rows, controls, height - 2),
    line(''),
  ].slice(0, height)
}
