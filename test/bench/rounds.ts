/** Candidates measured in turn, round after round, so that a disturbance of the machine meets them all. */
import { reasonOf } from '#net/base/errors.ts'
import { measure } from '#test/bench/measure.ts'
import type { Figures, Way } from '#test/bench/measure.ts'
import { Lab } from '#test/support/netns.ts'

export interface Candidate {
  name: string
  title: string
  build: (lab: Lab) => Promise<Way>
}

interface Result {
  title: string
  raw: Figures[]
  median: Figures
}

export type Results = Record<string, Result>

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

const mediansOf = (raw: readonly Figures[]): Figures => {
  const of = (name: keyof Figures): number => median(raw.map((figures) => figures[name]))
  return {
    cubicGbps: of('cubicGbps'),
    bbrGbps: of('bbrGbps'),
    smallKpps: of('smallKpps'),
    rttMs: of('rttMs'),
    cpuSecondsPerGb: of('cpuSecondsPerGb'),
  }
}

/** Builds a laboratory for the work and takes it down whatever happens; an error tells what the programs said. */
export async function inLab<T>(work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = new Lab()
  try {
    return await work(lab)
  } catch (error) {
    throw new Error(`${reasonOf(error)}\n${lab.story()}`, { cause: error })
  } finally {
    lab.close()
  }
}

/** Measures every candidate once a round. `progress` hears of each measurement. */
export async function runRounds(
  candidates: readonly Candidate[],
  rounds: number,
  progress: (text: string) => void,
): Promise<Results> {
  const raw = new Map<string, Figures[]>(candidates.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const { name, title, build } of candidates) {
      const figures = await inLab(async (lab) => measure(await build(lab)))
      raw.get(name)?.push(figures)
      progress(`round ${round} of ${rounds}: ${title}: ${summary(figures)}`)
    }
  }
  const results: Results = {}
  for (const { name, title } of candidates) {
    const list = raw.get(name) ?? []
    results[name] = { title, raw: list, median: mediansOf(list) }
  }
  return results
}

const summary = (figures: Figures): string =>
  `${figures.cubicGbps.toFixed(2)} Gbit/s, ${figures.smallKpps.toFixed(0)} kpps, ${figures.rttMs.toFixed(3)} ms`
