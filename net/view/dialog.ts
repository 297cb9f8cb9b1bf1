/** Questions and overlays that take the keys. */
import type { Key } from '#net/view/key.ts'
import type { PortRow } from '#net/view/port-track.ts'
import { plainText } from '#net/view/text.ts'

const LONGEST_INPUT = 200

/** What stands in the last line, and takes the keys. */
export type Dialog =
  | { readonly kind: 'help' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'filter'; readonly text: string; readonly before: string }
  | { readonly kind: 'capture' | 'impair'; readonly text: string; readonly port: PortRow }

/** One line of input: characters, Backspace, Ctrl-U. */
export function typed(text: string, key: Key): string {
  if (key.name === 'backspace') return text.slice(0, -1)
  if (key.name === 'C-u') return ''
  return plainText(text + key.text).slice(0, LONGEST_INPUT)
}
