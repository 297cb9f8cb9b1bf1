/** Candidates measured in turn, round after round, so that a disturbance of the machine meets them all. */
import { reasonOf } from '#net/base/errors.ts'
import { formatFigure, mediansOf } from '#test/bench/figures.ts'
import type { Column, Numbers } from '#test/bench/figures.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'

export interface Candidate<F> {
  /** For `--only`. */
  name: string
  /** For `--scenario`, where there are several. */
  scenario?: string
  title: string
  /** Measured only when `--only` names it. */
  onRequest?: boolean
  measure: (lab: Lab) => Promise<F>
}

interface Result<F> {
  title: string
  raw: F[]
  median: Numbers<F>
}

/** By `keyOf` of the candidate. */
export type Results<F> = Record<string, Result<F>>

const keyOf = <F>({ name, scenario }: Pick<Candidate<F>, 'name' | 'scenario'>): string =>
  scenario === undefined ? name : `${name} ${scenario}`

/** A laboratory whose machines use this congestion control where a program asks for none. */
class TunedLab extends Lab {
  readonly #congestion: string

  constructor(congestion: string) {
    super()
    this.#congestion = congestion
  }

  override namespace(label: string): Namespace {
    const namespace = super.namespace(label)
    namespace.sysctl({ 'net.ipv4.tcp_congestion_control': this.#congestion })
    return namespace
  }
}

/** Builds a laboratory for the work and takes it down whatever happens; an error tells what the programs said. */
export async function inLab<T>(work: (lab: Lab) => Promise<T>, congestion: string): Promise<T> {
  const lab = new TunedLab(congestion)
  try {
    return await work(lab)
  } catch (error) {
    throw new Error(`${reasonOf(error)}\n${lab.story()}`, { cause: error })
  } finally {
    lab.close()
  }
}

export interface Plan<F> {
  candidates: readonly Candidate<F>[]
  columns: readonly Column<F>[]
  rounds: number
  congestion: string
}

/** Measures every candidate once a round. `progress` hears of each measurement. */
export async function runRounds<F extends Numbers<F>>(
  { candidates, columns, rounds, congestion }: Plan<F>,
  progress: (text: string) => void,
): Promise<Results<F>> {
  const results: Results<F> = {}
  const lists = candidates.map((): F[] => [])
  for (let round = 1; round <= rounds; round++) {
    for (const [i, { title, measure }] of candidates.entries()) {
      const figures = await inLab(measure, congestion)
      lists[i]?.push(figures)
      progress(`round ${round} of ${rounds}: ${title}: ${summary(columns, figures)}`)
    }
  }
  for (const [i, candidate] of candidates.entries()) {
    const raw = lists[i] ?? []
    results[keyOf(candidate)] = { title: candidate.title, raw, median: mediansOf(columns, raw) }
  }
  return results
}

const summary = <F extends Numbers<F>>(columns: readonly Column<F>[], figures: F): string =>
  columns.map(({ figure, title, digits }) => `${title} ${formatFigure(figures[figure], digits)}`).join('; ')
