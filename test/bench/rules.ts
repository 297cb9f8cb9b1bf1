/** What the figures of candidates, or ratios between them, must be. */
import type { Column, Numbers } from '#test/bench/figures.ts'
import type { Results } from '#test/bench/rounds.ts'

/**
 * `bar`: must hold, or the run fails. `aim`: is told. `floor`: a peer below it was not at its usual strength, and the
 * run says nothing.
 */
type RuleKind = 'bar' | 'aim' | 'floor'

export interface Rule<F> {
  kind: RuleKind
  figure: keyof F
  /** The median of this candidate ... */
  of: string
  /** ... divided by that of this one, if named. */
  to?: string
  least?: number
  most?: number
}

export interface Verdict {
  kind: RuleKind
  text: string
  value: number
  passed: boolean
}

/** Verdicts on the rules whose candidates were all measured. */
export function judge<F extends Numbers<F>>(
  rules: readonly Rule<F>[],
  columns: readonly Column<F>[],
  results: Results<F>,
): Verdict[] {
  const titles = new Map(columns.map(({ figure, title }) => [figure, title]))
  const verdicts: Verdict[] = []
  for (const { kind, figure, of, to, least = -Infinity, most = Infinity } of rules) {
    const one = results[of]
    const other = to === undefined ? undefined : results[to]
    if (!one || (to !== undefined && !other)) continue
    const value = one.median[figure] / (other?.median[figure] ?? 1)
    const bound = least === -Infinity ? `<= ${most}` : `>= ${least}`
    const what = other ? `${one.title} / ${other.title}` : one.title
    const text = `${titles.get(figure)}: ${what} = ${value.toPrecision(3)}, ${bound}`
    verdicts.push({ kind, text, value, passed: value >= least && value <= most })
  }
  return verdicts
}

const EXIT_FAILED = 1
export const EXIT_USAGE = 2
export const EXIT_VOID = 3

export function exitCode(verdicts: readonly Verdict[]): number {
  const missed = (kind: RuleKind): boolean =>
    verdicts.some((verdict) => verdict.kind === kind && !verdict.passed)
  if (missed('floor')) return EXIT_VOID
  return missed('bar') ? EXIT_FAILED : 0
}
