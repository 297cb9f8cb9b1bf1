/**
 * `npm run soak -- tunnel`: traffic of every kind through hub and agent while processes, interfaces and the WAN fail,
 * then a look at what is left: memory, file descriptors, counters, interfaces, logs. Exit code 0: all is as it should
 * be, 1: not, 2: wrong call.
 *
 * In the first half anything may fail, in the second nothing that ends a process: memory and file descriptors are
 * those of processes that have lived through all of it.
 */
import { parseArgs } from 'node:util'
import { reasonOf } from '#net/base/errors.ts'
import { requireBuild } from '#test/support/product.ts'
import { FAULTS, type Fault } from '#test/soak/faults.ts'
import { soak } from '#test/soak/run.ts'
import { printVerdict } from '#test/soak/verdict.ts'

const EXIT_USAGE = 2
const LEAST_MINUTES = 1

function positive(option: string, text: string, least: number): number {
  const value = Number(text)
  if (!(value >= least)) throw new Error(`${option} ${text}: not a number of at least ${least}`)
  return value
}

/** @returns all without a name */
function faultsOf(ids: readonly string[]): readonly Fault[] {
  const known = FAULTS.map(({ id }) => id)
  const unknown = ids.find((id) => !known.includes(id))
  if (unknown !== undefined) throw new Error(`--fault ${unknown}: not one of ${known.join(', ')}`)
  return ids.length === 0 ? FAULTS : FAULTS.filter(({ id }) => ids.includes(id))
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      fault: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  })
  const minutes = positive('--minutes', values.minutes, LEAST_MINUTES)
  const seed = Math.floor(positive('--seed', values.seed, 0))
  const kinds = faultsOf(values.fault)
  requireBuild()
  const verdict = await soak({ minutes, seed, kinds, progress: (text) => console.error(text) })
  if (values.json) console.log(JSON.stringify(verdict))
  else printVerdict(verdict)
  return verdict.passed ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`soak: ${reasonOf(error)}`)
  process.exitCode = EXIT_USAGE
}
