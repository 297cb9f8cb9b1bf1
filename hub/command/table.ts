/** Figures and texts in the columns of tables. */

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
