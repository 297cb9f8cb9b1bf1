/** The characters that panes draw with: those of UTF-8 terminals, or ASCII. */

export interface Glyphs {
  /** Levels of a column of a graph, from nothing to full. */
  readonly levels: readonly string[]
  readonly rule: string
  /** Marks what was cut. */
  readonly more: string
  readonly marker: string
  readonly ascending: string
  readonly descending: string
}

const UNICODE: Glyphs = {
  levels: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  rule: '─',
  more: '…',
  marker: '▶',
  ascending: '▲',
  descending: '▼',
}

const ASCII: Glyphs = {
  levels: [' ', '.', ':', '-', '=', '+', '*', '#'],
  rule: '-',
  more: '~',
  marker: '>',
  ascending: '^',
  descending: 'v',
}

export const glyphsOf = (isUtf8: boolean): Glyphs => (isUtf8 ? UNICODE : ASCII)
