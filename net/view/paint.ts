/** Styled rows as what a terminal is sent: ECMA-48 SGR, with colours that colour-blind people tell apart. */
import type { Line, Style } from '#net/view/text.ts'

type Colours = 0 | 8 | 256

/** Blue for what is well or comes in, orange for what is not or goes out; without colours plain, bold and reversed do. */
const SGR: Record<Style, Readonly<Record<Colours, string>>> = {
  plain: { 0: '', 8: '', 256: '' },
  dim: { 0: '', 8: '', 256: '38;5;245' },
  strong: { 0: '1', 8: '1', 256: '1' },
  heading: { 0: '1', 8: '1', 256: '1;38;5;75' },
  good: { 0: '', 8: '36', 256: '38;5;75' },
  bad: { 0: '1', 8: '1;33', 256: '38;5;214' },
  in: { 0: '', 8: '36', 256: '38;5;75' },
  out: { 0: '', 8: '33', 256: '38;5;214' },
  selected: { 0: '7', 8: '7', 256: '7' },
  tab: { 0: '1', 8: '1', 256: '7' },
  bar: { 0: '7', 8: '7', 256: '48;5;238;38;5;255' },
}

export interface Palette {
  readonly colours: Colours
  readonly isUtf8: boolean
}

/** One row; it leaves the terminal without attributes. */
export function paint(row: Line, { colours, isUtf8 }: Palette): string {
  let out = ''
  for (const { text, style } of row) {
    const shown = isUtf8 ? text : text.replaceAll(/[^ -~]/g, '?')
    const codes = SGR[style][colours]
    out += codes === '' ? shown : `\u001b[${codes}m${shown}\u001b[m`
  }
  return out
}
