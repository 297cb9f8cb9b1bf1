/** The command line that the benchmarks share. */
import { parseArgs } from 'node:util'
import { reasonOf } from '#net/base/errors.ts'
import { machine, print, versions } from '#test/bench/report.ts'
import { runRounds } from '#test/bench/rounds.ts'
import type { Candidate } from '#test/bench/rounds.ts'
import { EXIT_USAGE, EXIT_VOID, exitCode, judge } from '#test/bench/rules.ts'
import type { Rule, Verdict } from '#test/bench/rules.ts'
import { requireBuild } from '#test/support/product.ts'

export interface Bench {
  name: string
  candidates: readonly Candidate[]
  rules: readonly Rule[]
  notes: readonly string[]
  /** A further measurement, run with `--memory`. */
  memory?: (progress: (text: string) => void) => Promise<{ verdicts: Verdict[]; raw: object }>
}

const OURS = 'ours'
const progress = (text: string): void => console.error(text)

async function run(bench: Bench, args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: not a positive number`)
  const names = values.only?.split(',') ?? bench.candidates.map(({ name }) => name)
  const known = new Map(bench.candidates.map((candidate) => [candidate.name, candidate]))
  const candidates = names.map((name) => {
    const candidate = known.get(name)
    if (!candidate) throw new Error(`--only ${name}: not one of ${[...known.keys()].join(', ')}`)
    return candidate
  })
  if (names.includes(OURS) || values.memory) requireBuild()

  const where = machine()
  const results = await runRounds(candidates, rounds, progress)
  const verdicts = judge(bench.rules, results)
  const memory = values.memory ? await bench.memory?.(progress) : undefined
  verdicts.push(...(memory?.verdicts ?? []))
  const code = exitCode(verdicts)
  if (values.json) {
    const about = { bench: bench.name, rounds, versions: versions(), machine: where, notes: bench.notes }
    console.log(
      JSON.stringify({ ...about, void: code === EXIT_VOID, results, verdicts, memory: memory?.raw }),
    )
  } else print(bench.name, rounds, [...bench.notes, `machine: ${JSON.stringify(where)}`], results, verdicts)
  if (code === EXIT_VOID) console.error('void: a peer was far below its usual share of the kernel bridge')
  return code
}

/** Runs a benchmark as a command: exit code 0, 1 (a bar missed), 2 (wrong call) or 3 (the run says nothing). */
export async function main(bench: Bench): Promise<void> {
  try {
    process.exitCode = await run(bench, process.argv.slice(2))
  } catch (error) {
    console.error(`${bench.name}: ${reasonOf(error)}`)
    process.exitCode = EXIT_USAGE
  }
}
