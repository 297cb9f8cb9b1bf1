/** Keys as the view has them, of those that blessed tells. Pure. */
import type { KeyPress } from 'blessed/lib/program.js'

export interface Key {
  /** Of one without a character its name (`up`, `C-l`, `space`), else the character. */
  readonly name: string
  /** What it types, '' for keys that type nothing. */
  readonly text: string
}

/** Undefined for what no key of ours can be: mouse, function keys' remains. */
export function keyOf(character: string | undefined, key: KeyPress | undefined): Key | undefined {
  const isTyped =
    character !== undefined && character.length === 1 && character >= ' ' && character !== '\u007f'
  if (isTyped && key?.meta !== true) return { name: character === ' ' ? 'space' : character, text: character }
  // blessed tells of Enter twice.
  if (key?.name === undefined || key.name === 'return') return undefined
  return { name: key.name === 'linefeed' ? 'enter' : (key.full ?? key.name), text: '' }
}
