/** Tables of text for terminals. */
import { printable } from '#hub/base/log.ts'

/** Columns two spaces apart; a heading that begins with `>` aligns its column to the right. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = headings.map((heading) => heading.replace(/^>/, ''))
  const lines = [titles, ...rows].map((row) => row.map(printable))
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0
          return headings[column]?.startsWith('>') ? cell.padStart(width) : cell.padEnd(width)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A count in at most `width` (6 or more) characters: exact if it fits, else in thousands, millions, ... */
export function formatCount(count: number, width: number): string {
  let text = String(count)
  for (let i = 0, scaled = count; text.length > width && i < UNITS.length; i++) {
    scaled /= 1000
    text = `${scaled.toFixed(1)}${UNITS[i] ?? ''}`
  }
  return text
}
const UNITS = ['k', 'M', 'G', 'T', 'P']

/** `text` in at most `width` characters. */
export const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`
