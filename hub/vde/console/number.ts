/** Numbers as people write them on the console: decimal, `0x..` hexadecimal, `0..` octal (scanf's %i). */

const DIGITS = /^(0x[0-9a-f]{1,8}|0[0-7]{1,10}|[1-9]\d{0,9}|0)$/i

/** @returns NaN for anything else, negative numbers among it: nothing here counts below 0 */
export function parseNumber(word: string): number {
  if (!DIGITS.test(word)) return NaN
  return /^0[0-7]/.test(word) ? Number.parseInt(word, 8) : Number(word)
}

/** `0010`: the columns of all tables. */
export const fourDigits = (n: number): string => String(n).padStart(4, '0')
