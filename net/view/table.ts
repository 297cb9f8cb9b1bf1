/** Tables whose columns have fixed widths, the less important of which give way where there is no room. */
import type { Glyphs } from '#net/view/glyphs.ts'
import { clip, left, right, span, type Line, type Span, type Style } from '#net/view/text.ts'

export interface Column<Row> {
  readonly title: string
  /** Columns of the screen, at least. */
  readonly width: number
  readonly align: 'left' | 'right'
  /** The lower, the longer it stays; 0 always does. */
  readonly importance: number
  /** The most that it takes of what is over; columns before it come first. */
  readonly widest?: number
  readonly text: (row: Row) => string
  readonly style?: (row: Row) => Style
}

interface Placed<Row> extends Column<Row> {
  readonly shown: number
}

/** The columns that have room, with one space between them. */
export function place<Row>(columns: readonly Column<Row>[], width: number): Placed<Row>[] {
  let kept = [...columns]
  const needed = (): number => kept.reduce((sum, column) => sum + column.width + 1, -1)
  while (needed() > width) {
    const importance = Math.max(...kept.map((column) => column.importance))
    if (importance === 0) break
    kept = kept.filter((column) => column.importance !== importance)
  }
  let over = Math.max(0, width - needed())
  return kept.map((column) => {
    const more = Math.min(over, Math.max(0, (column.widest ?? 0) - column.width))
    over -= more
    return { ...column, shown: column.width + more }
  })
}

export const titles = <Row>(columns: readonly Placed<Row>[], glyphs: Glyphs): Line => [
  span(columns.map((column) => cell(column, column.title, glyphs)).join(' '), 'dim'),
]

export const cells = <Row>(columns: readonly Placed<Row>[], row: Row, glyphs: Glyphs): Line =>
  columns.flatMap((column, i): Span[] => [
    ...(i === 0 ? [] : [span(' ')]),
    span(cell(column, column.text(row), glyphs), column.style?.(row) ?? 'plain'),
  ])

function cell<Row>({ align, shown }: Placed<Row>, text: string, { more }: Glyphs): string {
  return align === 'left' ? left(text, shown, more) : right(clip(text, shown, more), shown, more)
}
