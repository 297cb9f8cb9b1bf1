/** Where something stands in a file set, and what is wrong there. Lines and columns count from 1. */
import { printable } from '#net/base/printable.ts'

export interface SourceFile {
  /** As people know it: `topology.vmm`. */
  readonly name: string
  readonly text: string
}

export interface Place {
  readonly file: SourceFile
  readonly line: number
  readonly column: number
  /** The macro whose expansion brought it here; '' when it stands here itself. */
  readonly macro: string
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly place: Place
}

/** Errors beyond this many are not told one by one: they follow from the first ones. */
const MAX_DIAGNOSTICS = 50
/** Of a source line that is shown. */
const MAX_SHOWN = 120

/** Collects what is wrong; of each severity the first ones, and the number of all. */
export class Diagnostics {
  readonly list: Diagnostic[] = []
  errors = 0
  warnings = 0

  error(place: Place, message: string): void {
    if (++this.errors <= MAX_DIAGNOSTICS) this.list.push({ severity: 'error', message, place })
  }

  warn(place: Place, message: string): void {
    if (++this.warnings <= MAX_DIAGNOSTICS) this.list.push({ severity: 'warning', message, place })
  }
}

/** `topology.vmm:3:5: error: ...`, the line, and a caret under the column. */
export function formatDiagnostic({ severity, message, place }: Diagnostic): string {
  const { file, line, column, macro } = place
  const via = macro === '' ? '' : ` (in the expansion of ${macro})`
  const head = printable(`${file.name}:${line}:${column}: ${severity}: ${message}${via}`)
  const shown = shownLine(lineOf(file.text, line), column)
  return shown === undefined ? head : `${head}\n    ${shown.text}\n    ${' '.repeat(shown.caret)}^`
}

/** A window of the line around the column, without control characters; undefined for an empty line. */
function shownLine(line: string, column: number): { text: string; caret: number } | undefined {
  const from = column > MAX_SHOWN - 20 ? column - MAX_SHOWN / 2 : 0
  const window = line.slice(from, from + MAX_SHOWN)
  if (window.trim() === '') return undefined
  // oxlint-disable-next-line no-control-regex
  const clean = window.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
  const trimmed = clean.trimStart()
  return { text: trimmed.trimEnd(), caret: Math.max(0, column - 1 - from - (clean.length - trimmed.length)) }
}

function lineOf(text: string, line: number): string {
  let start = 0
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', start)
    if (end < 0) return ''
    start = end + 1
  }
  const end = text.indexOf('\n', start)
  return text.slice(start, end < 0 ? text.length : end)
}
