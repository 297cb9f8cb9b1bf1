/** What runs of topologies, as the supervisor's marks say; working directory: the data directory. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { reasonOf } from '#net/base/errors.ts'
import { planFile, readPlan, runningMark, TOPOLOGY_NAME, type TopologyPlan } from '#hub/base/topology-plan.ts'

const TOPOLOGIES = 'topologies'

interface Kept {
  /** Of the plan's file: a new one has another. */
  readonly inode: number
  readonly changed: number
  /** Undefined: it cannot be read. */
  readonly plan: TopologyPlan | undefined
}

/** Files are looked at for each question, and read when they are new: what they say holds without the supervisor. */
export class RunningPlans {
  readonly #onFault: (text: string) => void
  #kept = new Map<string, Kept>()

  /** @param onFault  told once of each plan that cannot be read */
  constructor(onFault: (text: string) => void) {
    this.#onFault = onFault
  }

  list(): TopologyPlan[] {
    const names = existsSync(TOPOLOGIES) ? readdirSync(TOPOLOGIES).sort() : []
    const kept = new Map<string, Kept>()
    for (const name of names) {
      if (!TOPOLOGY_NAME.test(name) || !existsSync(runningMark(name))) continue
      const one = this.#look(name)
      if (one) kept.set(name, one)
    }
    this.#kept = kept
    return [...kept.values()].flatMap(({ plan }) => (plan ? [plan] : []))
  }

  #look(name: string): Kept | undefined {
    const file = statSync(planFile(name), { throwIfNoEntry: false })
    if (!file) return undefined
    const before = this.#kept.get(name)
    if (before?.inode === file.ino && before.changed === file.mtimeMs) return before
    return { inode: file.ino, changed: file.mtimeMs, plan: this.#read(name) }
  }

  #read(name: string): TopologyPlan | undefined {
    try {
      return readPlan(name)
    } catch (error) {
      this.#onFault(reasonOf(error))
      return undefined
    }
  }
}
