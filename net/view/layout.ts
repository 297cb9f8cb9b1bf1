/** The whole picture: rows of text for a screen of this size. Pure. */
import { TABS, type Tab } from '#net/view/controls.ts'
import { eventsPane, lastEventsPane } from '#net/view/events-pane.ts'
import { helpPane } from '#net/view/help-pane.ts'
import { linkLines, linksPane } from '#net/view/links-pane.ts'
import { beside, type Scene } from '#net/view/pane.ts'
import { portRows, portsPane } from '#net/view/ports-pane.ts'
import { clock } from '#net/view/quantity.ts'
import { ratesPane } from '#net/view/rates-pane.ts'
import { talkersPane } from '#net/view/talkers-pane.ts'
import { clip, fit, lengthOf, span, type Line, type Span } from '#net/view/text.ts'

/** Columns from which talkers and events stand beside each other. */
const WIDE = 120

/** Of the overview's rows, for ports before anything else. */
const PORTS_SHARE = 0.4

interface Part {
  /** It is left out where it cannot have these rows. */
  readonly least: number
  /** More are of no use. */
  readonly most: number
  readonly draw: (rows: number) => Line[]
}

/** Exactly `height` rows of exactly `width` columns. */
export function layout(scene: Scene, width: number, height: number): Line[] {
  const bottom = bottomLine(scene, width)
  const body = height - 2
  const rows = [barLine(scene, width), ...(body > 0 ? bodyRows(scene, width, body) : [])]
  while (rows.length < height - 1) rows.push([])
  return [...rows.slice(0, Math.max(0, height - 1)), bottom].slice(-height).map((row) => fit(row, width))
}

type Body = (scene: Scene, width: number, height: number) => Line[]

const BODIES: Readonly<Record<Tab, Body>> = {
  Overview: (scene, width, height) => stack(overview(scene, width, height), height),
  Ports: (scene, width, height) =>
    stack(
      [
        { least: 3, most: height, draw: (rows) => portsPane(scene, width, rows, false) },
        { least: 6, most: 16, draw: (rows) => ratesPane(scene, width, rows) },
      ],
      height,
    ),
  Links: linksPane,
  Talkers: (scene, width, height) => talkersPane(scene, width, height, true),
  Events: eventsPane,
}

const bodyRows: Body = (scene, width, height) => {
  const { dialog, tab } = scene.controls
  return dialog?.kind === 'help' ? helpPane(scene, width, height) : BODIES[tab](scene, width, height)
}

function overview(scene: Scene, width: number, height: number): Part[] {
  const links = linkLines(scene, width)
  const hasTalkers = scene.reading.talkers !== undefined
  const isWide = width >= WIDE && hasTalkers
  const half = Math.floor((width - 2) / 2)
  const leastPorts = Math.max(6, Math.floor(height * PORTS_SHARE))
  const isCompact = portRows(scene, width, false) > leastPorts
  const ports = portRows(scene, width, isCompact)
  const lists: Part[] = isWide
    ? [
        {
          least: 4,
          most: Infinity,
          draw: (rows) =>
            beside(
              talkersPane(scene, half, rows, false),
              half,
              lastEventsPane(scene, width - half - 2, rows),
              rows,
            ),
        },
      ]
    : [
        ...(hasTalkers
          ? [{ least: 3, most: Infinity, draw: (rows: number) => talkersPane(scene, width, rows, false) }]
          : []),
        { least: 3, most: Infinity, draw: (rows) => lastEventsPane(scene, width, rows) },
      ]
  return [
    { least: links.length, most: links.length, draw: () => links },
    {
      least: Math.min(ports, leastPorts),
      most: ports,
      draw: (rows) => portsPane(scene, width, rows, isCompact),
    },
    { least: 4, most: 12, draw: (rows) => ratesPane(scene, width, rows) },
    ...lists,
  ]
}

/**
 * Parts above each other. Rows are given to the least that each wants first, from the top on, then one by one in turn
 * to those that want more.
 */
function stack(parts: readonly Part[], height: number): Line[] {
  let room = height
  const rows = parts.map(({ least }, i) => {
    // The first is shown in any case: what fits of it.
    const given = least <= room ? least : i === 0 ? room : 0
    room -= given
    return given
  })
  const wanting = (): number[] =>
    parts.flatMap(({ most }, i) => ((rows[i] ?? 0) > 0 && (rows[i] ?? 0) < most ? [i] : []))
  for (let turn = wanting(); turn.length > 0 && room > 0; turn = wanting()) {
    for (const i of turn.slice(0, room)) rows[i] = (rows[i] ?? 0) + 1
    room -= Math.min(room, turn.length)
  }
  return parts.flatMap(({ draw }, i) => {
    const given = rows[i] ?? 0
    if (given === 0) return []
    const drawn = draw(given).slice(0, given)
    return [...drawn, ...Array.from({ length: given - drawn.length }, (): Line => [])]
  })
}

/** `hconnect 0.1.0   1 Overview  2 Ports ...          12:03:04` */
function barLine({ title, controls, now }: Scene, width: number): Line {
  const time = `${controls.isFrozen ? 'FROZEN ' : ''}${clock(now, now)}`
  const tabs = TABS.map((tab, i): Span => {
    const text = `${i + 1} ${tab}`
    return tab === controls.tab ? span(`[${text}]`, 'tab') : span(` ${text} `, 'bar')
  })
  const name = span(` ${clip(title, 24, '')} `, 'bar')
  const gapAfter = (start: Line): number => width - lengthOf(start) - time.length - 1
  const open = tabs.filter(({ style }) => style === 'tab')
  const start =
    [
      [name, ...tabs],
      [name, ...open],
    ].find((spans) => gapAfter(spans) > 0) ?? open
  return [...start, span(' '.repeat(Math.max(1, gapAfter(start))), 'bar'), span(`${time} `, 'bar')]
}

/** Question, message, or what the keys are. */
function bottomLine({ controls, error, captures, countingSince, now, glyphs }: Scene, width: number): Line {
  const { dialog, message } = controls
  switch (dialog?.kind) {
    case 'quit':
      return [span('Quit? y or n; q again quits, too', 'strong')]
    case 'filter':
      return input('Show only', dialog.text, width)
    case 'capture':
      return input(`Capture ${dialog.port.name} to file`, dialog.text, width)
    case 'impair':
      return input(`Impair ${dialog.port.name} (delay=50ms,loss=1%; nothing: end)`, dialog.text, width)
    case 'help':
    case undefined:
  }
  // The last column of the last row stays empty: writing there would make some terminals scroll.
  const room = width - 1
  if (message !== '') return [span(clip(message, room, glyphs.more), 'strong')]
  if (error !== '') return [span(clip(`cannot read: ${error}`, room, glyphs.more), 'bad')]
  const state = [
    ...(captures.size > 0 ? [`capturing ${captures.size}`] : []),
    ...(countingSince === undefined ? [] : [`counting since ${clock(countingSince, now)}`]),
  ]
  const { capture, impair } = controls.abilities
  const keys = [
    '? help  q quit  s sort  / find  f freeze  r reset  u unit',
    ...(capture ? ['c capture'] : []),
    ...(impair ? ['i impair'] : []),
  ].join('  ')
  return [span(clip([...state, keys].join('   '), room, glyphs.more), 'dim')]
}

/** A question and what has been typed, of which the end is seen. */
function input(question: string, text: string, width: number): Line {
  const start = `${clip(question, Math.max(0, width - 20), '')}: `
  const room = Math.max(1, width - start.length - 1)
  return [span(start, 'strong'), span(text.slice(-room)), span('_', 'strong')]
}
