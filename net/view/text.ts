/** Lines of styled text, as panes make them and a terminal shows them. Every character is one column wide. */

/** What a stretch of text means; a palette makes colours and attributes of it. */
export type Style =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'heading'
  | 'good'
  | 'bad'
  | 'in'
  | 'out'
  | 'selected'
  | 'bar'
  | 'tab'

export interface Span {
  readonly text: string
  readonly style: Style
}

/** One row, at most as wide as its pane. */
export type Line = readonly Span[]

export const span = (text: string, style: Style = 'plain'): Span => ({ text, style })
export const line = (text: string, style: Style = 'plain'): Line => [{ text, style }]

const LONGEST = 500
/** Neither letters, numbers, punctuation nor symbols: control and format characters, surrogates, odd spaces. */
const UNPRINTABLE = /[^\p{L}\p{N}\p{P}\p{S} ]/gu
/** Two columns wide (UAX #11, W and F), or beyond the first plane, where widths are anybody's guess. */
const NOT_ONE_COLUMN =
  /[\u1100-\u115f\u2e80-\u303f\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{10000}-\u{10ffff}]/gu

/** Text from elsewhere, made fit for a cell: nothing that a terminal would obey, one column for each character. */
export const plainText = (text: string): string =>
  text
    .slice(0, LONGEST)
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[\t\r\n]+/g, ' ')
    .replaceAll(UNPRINTABLE, '?')
    .replaceAll(NOT_ONE_COLUMN, '?')

/** Cut to `width` columns, the last of them `more` when something is missing. */
export const clip = (text: string, width: number, more: string): string => {
  if (text.length <= width) return text
  return width <= 0 ? '' : text.slice(0, width - 1) + more
}

/** The text in rows of at most `width` columns, broken at spaces where there are some. */
export function wrap(text: string, width: number): string[] {
  const rows: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    rows.push(rest.slice(0, space > 0 ? space : width))
    rest = rest.slice(space > 0 ? space + 1 : width)
  }
  return [...rows, rest]
}

/** Exactly `width` columns, text at the left. */
export const left = (text: string, width: number, more: string): string =>
  clip(text, width, more).padEnd(Math.max(0, width))

/** Exactly `width` columns, text at the right. */
export const right = (text: string, width: number, more: string): string =>
  clip(text, width, more).padStart(Math.max(0, width))

export const lengthOf = (row: Line): number => row.reduce((sum, { text }) => sum + text.length, 0)

/** The row in exactly `width` columns: cut, or filled with spaces of the last span's style. */
export function fit(row: Line, width: number): Line {
  const out: Span[] = []
  let room = Math.max(0, width)
  for (const { text, style } of row) {
    const kept = text.slice(0, room)
    if (kept !== '') out.push({ text: kept, style })
    room -= kept.length
  }
  if (room > 0) out.push({ text: ' '.repeat(room), style: out.at(-1)?.style === 'bar' ? 'bar' : 'plain' })
  return out
}

/** The whole row in one style. */
export const restyle = (row: Line, style: Style): Line => row.map(({ text }) => ({ text, style }))
