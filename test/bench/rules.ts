/** What ratios between candidates must be. */
import type { Figures } from '#test/bench/measure.ts'
import type { Results } from '#test/bench/rounds.ts'

/**
 * `bar`: must hold, or the run fails. `aim`: is told. `floor`: a peer below it was not at its usual strength, and the
 * run says nothing.
 */
type RuleKind = 'bar' | 'aim' | 'floor'

export interface Rule {
  kind: RuleKind
  figure: keyof Figures
  /** Ratio of this candidate's median ... */
  of: string
  /** ... to this one's. */
  to: string
  least?: number
  most?: number
}

export interface Verdict {
  kind: RuleKind
  text: string
  value: number
  passed: boolean
}

export const FIGURE_TITLES: Record<keyof Figures, string> = {
  cubicGbps: 'TCP CUBIC, Gbit/s',
  bbrGbps: 'TCP BBR, Gbit/s',
  smallKpps: '64-octet UDP, kpps',
  rttMs: 'round trip, ms',
  cpuSecondsPerGb: 'CPU s/GB',
}

/** Verdicts on the rules whose candidates were both measured. */
export function judge(rules: readonly Rule[], results: Results): Verdict[] {
  const verdicts: Verdict[] = []
  for (const { kind, figure, of, to, least = -Infinity, most = Infinity } of rules) {
    const [one, other] = [results[of], results[to]]
    if (!one || !other) continue
    const value = one.median[figure] / other.median[figure]
    const bound = least === -Infinity ? `<= ${most}` : `>= ${least}`
    const text = `${FIGURE_TITLES[figure]}: ${one.title} / ${other.title} = ${value.toPrecision(3)}, ${bound}`
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
