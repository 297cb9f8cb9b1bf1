/** The examination as text, for a terminal of 80 columns, with or without colour. */
import type { Check, Finding, Status } from '#agent/doctor/finding.ts'
import { printable } from '#net/base/printable.ts'

/** One less than the terminal has: a full line would be followed by an empty one on some. */
const WIDTH = 79
const STATUS_WIDTH = 7
const TITLE_WIDTH = 14
const INDENT = 2
const TITLE_AT = INDENT + STATUS_WIDTH + 2
const TEXT_AT = TITLE_AT + TITLE_WIDTH + 2
/** SGR: green, yellow, red; the others have none. The words say all that colours do. */
const COLOURS: Readonly<Record<Status, string>> = {
  ok: '32',
  warning: '33',
  failed: '1;31',
  unknown: '',
  skipped: '',
}

const WORDS: Readonly<Record<Status, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  unknown: 'unknown',
  skipped: 'skipped',
}

/** A check with what it has found, and below, set off, what to do. */
export function formatFinding(check: Pick<Check, 'title'>, finding: Finding, isColoured: boolean): string {
  const word = WORDS[finding.status].padEnd(STATUS_WIDTH)
  const colour = COLOURS[finding.status]
  const status = isColoured && colour !== '' ? `\u001B[${colour}m${word}\u001B[0m` : word
  const head = `${' '.repeat(INDENT)}${status}  ${check.title.padEnd(TITLE_WIDTH)}  `
  const lines = wrapped(finding.found, WIDTH - TEXT_AT)
  const advice = finding.remedy === undefined ? [] : wrapped(finding.remedy, WIDTH - TEXT_AT - 3).map(setOff)
  return `${head}${[...lines, ...advice].join(`\n${' '.repeat(TEXT_AT)}`)}\n`
}

/** Checks that were skipped for the same cause. */
export function formatSkipped(titles: readonly string[], cause: string): string {
  const need = titles.length === 1 ? 'it needs' : 'they need'
  const lines = wrapped(`${titles.join(', ')}: ${need} "${cause}"`, WIDTH - TITLE_AT)
  return `${' '.repeat(INDENT)}${WORDS.skipped}  ${lines.join(`\n${' '.repeat(TITLE_AT)}`)}\n`
}

/** What is shown while a check runs, to be overwritten. */
export const formatBegin = (check: Pick<Check, 'title'>): string =>
  `${' '.repeat(INDENT)}${'...'.padEnd(STATUS_WIDTH)}  ${check.title}`

/** The last line. */
export function formatSummary(counts: Readonly<Record<Status, number>>): string {
  const parts = [`${counts.ok} ok`]
  if (counts.warning > 0) parts.push(`${counts.warning} with a warning`)
  if (counts.failed > 0) parts.push(`${counts.failed} failed`)
  if (counts.unknown > 0) parts.push(`${counts.unknown} unknown`)
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`)
  return `\n${parts.join(', ')}\n`
}

const setOff = (line: string, index: number): string => (index === 0 ? `-> ${line}` : `   ${line}`)

/** Fit for a terminal, as some of it is said by others. Breaks at spaces; a word that is longer than a line has one of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
