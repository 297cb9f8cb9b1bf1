/** What every pane is given, and what panes have in common. */
import type { Controls } from '#net/view/controls.ts'
import type { Glyphs } from '#net/view/glyphs.ts'
import type { Reading } from '#net/view/model.ts'
import type { ViewEvent } from '#net/view/source.ts'
import { fit, span, type Line, type Style } from '#net/view/text.ts'

/** All that a picture of the view follows from. */
export interface Scene {
  /** `hconnect 0.1.0` */
  readonly title: string
  readonly reading: Reading
  readonly controls: Controls
  /** Oldest first. */
  readonly events: readonly ViewEvent[]
  /** Why the last reading could not be had, '' when it could. */
  readonly error: string
  /** Milliseconds since 1970; while the view is frozen, of that moment. */
  readonly now: number
  /** Milliseconds since 1970 from which counts are, undefined: since the ports began. */
  readonly countingSince: number | undefined
  /** Ports that are being captured, by key, with their files. */
  readonly captures: ReadonlyMap<string, string>
  readonly glyphs: Glyphs
}

/** `── Ports ───────────── sorted by number ──` */
export function heading(title: string, note: string, width: number, glyphs: Glyphs): Line {
  const { rule } = glyphs
  const start = `${rule}${rule} ${title} `
  const end = note === '' ? '' : ` ${note} ${rule}${rule}`
  const middle = rule.repeat(Math.max(0, width - start.length - end.length))
  const kept = start.length + end.length <= width ? end : ''
  const fill = kept === '' ? rule.repeat(Math.max(0, width - start.length)) : middle
  return fit([span(`${rule}${rule} `, 'dim'), span(`${title} `, 'heading'), span(fill + kept, 'dim')], width)
}

/** Rows from `first` on, as many as fit; `first` is kept where it shows as much as there is. */
export function window<Row>(rows: readonly Row[], first: number, height: number): readonly Row[] {
  const from = Math.max(0, Math.min(first, rows.length - height))
  return rows.slice(from, from + Math.max(0, height))
}

/** Rows from where the user has scrolled to, which is kept where it shows as much as there is. */
export function scrolled<Row>(rows: readonly Row[], controls: Controls, height: number): readonly Row[] {
  controls.scroll = Math.max(0, Math.min(controls.scroll, rows.length - height))
  return window(rows, controls.scroll, height)
}

/** Panes beside each other, with two columns between them. Both are `height` rows high. */
export function beside(a: readonly Line[], widthA: number, b: readonly Line[], height: number): Line[] {
  return Array.from({ length: height }, (_, i) => [...fit(a[i] ?? [], widthA), span('  '), ...(b[i] ?? [])])
}

export const stateStyle = (state: string): Style => (state === 'connected' ? 'good' : 'bad')
