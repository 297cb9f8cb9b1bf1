/** The command line that the benchmarks share. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { reasonOf } from '#net/base/errors.ts'
import type { Column, Numbers } from '#test/bench/figures.ts'
import { machine, print, versions } from '#test/bench/report.ts'
import { runRounds } from '#test/bench/rounds.ts'
import type { Candidate } from '#test/bench/rounds.ts'
import { EXIT_USAGE, EXIT_VOID, exitCode, judge } from '#test/bench/rules.ts'
import type { Rule, Verdict } from '#test/bench/rules.ts'
import { requireBuild } from '#test/support/product.ts'

export interface Bench<F> {
  name: string
  columns: readonly Column<F>[]
  candidates: readonly Candidate<F>[]
  rules: readonly Rule<F>[]
  notes: readonly string[]
  /** Unless `--rounds` says otherwise. Default: 3. */
  rounds?: number
  /** A further measurement, run with `--memory`. */
  memory?: (
    congestion: string,
    progress: (text: string) => void,
  ) => Promise<{ verdicts: Verdict[]; raw: object }>
}

/** Candidates that are of this project. */
const OURS = ['ours', 'bulk']
const progress = (text: string): void => console.error(text)

/** `up` stands for `up/tcp` and `up/udp` too. */
const within = (name: string, wanted: string): boolean => name === wanted || name.startsWith(`${wanted}/`)

/** Whether a name is within one of a list such as `ours,vde`. */
function chooser(option: string, list: string, known: readonly string[]): (name: string) => boolean {
  const all = list.split(',')
  for (const wanted of all) {
    if (!known.some((name) => within(name, wanted)))
      throw new Error(`${option} ${wanted}: not one of ${[...new Set(known)].join(', ') || '(none)'}`)
  }
  return (name) => all.some((wanted) => within(name, wanted))
}

function choose<F>(
  candidates: readonly Candidate<F>[],
  only: string | undefined,
  scenarios: string | undefined,
): Candidate<F>[] {
  const names = candidates.map(({ name }) => name)
  const known = candidates.flatMap(({ scenario = [] }) => scenario)
  const named = only === undefined ? undefined : chooser('--only', only, names)
  const staged = scenarios === undefined ? undefined : chooser('--scenario', scenarios, known)
  return candidates.filter(
    ({ name, scenario = '', onRequest = false }) =>
      (named?.(name) ?? !onRequest) && (staged?.(scenario) ?? true),
  )
}

/** The machine's own by default. */
function congestionOf(text: string | undefined): string {
  if (text === undefined) return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  if (text === 'cubic' || text === 'bbr') return text
  throw new Error(`--congestion ${text}: not one of cubic, bbr`)
}

async function run<F extends Numbers<F>>(bench: Bench<F>, args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: String(bench.rounds ?? 3) },
      only: { type: 'string' },
      scenario: { type: 'string' },
      congestion: { type: 'string' },
      json: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
    },
  })
  const { name, columns, notes } = bench
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: not a positive number`)
  const congestion = congestionOf(values.congestion)
  const candidates = choose(bench.candidates, values.only, values.scenario)
  if (candidates.length === 0) throw new Error('nothing to measure: no candidate has that scenario')
  if (candidates.some((candidate) => OURS.includes(candidate.name)) || values.memory) requireBuild()

  const where = machine(congestion)
  const results = await runRounds({ candidates, columns, rounds, congestion }, progress)
  const verdicts = judge(bench.rules, columns, results)
  const memory = values.memory ? await bench.memory?.(congestion, progress) : undefined
  verdicts.push(...(memory?.verdicts ?? []))
  const code = exitCode(verdicts)
  if (values.json) {
    const about = { bench: name, rounds, versions: versions(), machine: where, notes }
    console.log(
      JSON.stringify({ ...about, void: code === EXIT_VOID, results, verdicts, memory: memory?.raw }),
    )
  } else {
    const circumstances = [...notes, `machine: ${JSON.stringify(where)}`]
    print({ name, rounds, notes: circumstances, columns, results, verdicts })
  }
  if (code === EXIT_VOID) console.error('void: a peer was not at its usual strength')
  return code
}

/** Runs a benchmark as a command: exit code 0, 1 (a bar missed), 2 (wrong call) or 3 (the run says nothing). */
export async function main<F extends Numbers<F>>(bench: Bench<F>): Promise<void> {
  try {
    process.exitCode = await run(bench, process.argv.slice(2))
  } catch (error) {
    console.error(`${bench.name}: ${reasonOf(error)}`)
    process.exitCode = EXIT_USAGE
  }
}
