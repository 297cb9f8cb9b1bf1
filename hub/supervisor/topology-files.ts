/**
 * What the supervisor keeps of a topology in topologies/NAME: plan.json, what runs or ran last, and `running`, which is
 * there as long as it is to run.
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import {
  newPlanFile,
  planFile,
  readPlan,
  runningMark,
  TOPOLOGY_NAME,
  type TopologyPlan,
} from '#hub/base/topology-plan.ts'
import { removeWithin, withinDirectory } from '#hub/base/directory.ts'

export const TOPOLOGIES = 'topologies'
const MARK = basename(runningMark(''))
const directoryOf = (topology: string): string => `${TOPOLOGIES}/${topology}`

export function knownTopologies(): string[] {
  const names = existsSync(TOPOLOGIES) ? readdirSync(TOPOLOGIES) : []
  return names.filter((name) => TOPOLOGY_NAME.test(name))
}

export const isToRun = (topology: string): boolean => existsSync(runningMark(topology))

export function markToRun(topology: string): void {
  unmark(topology)
  withinDirectory(directoryOf(topology), (path) =>
    writeFileSync(`${path}/${MARK}`, '', { flag: 'wx', mode: 0o600 }),
  )
}

export function unmark(topology: string): void {
  withinDirectory(directoryOf(topology), (path) => rmSync(`${path}/${MARK}`, { force: true }))
}

/** Takes over what the control process wrote for this start. @throws ConfigError */
export function takePlan(topology: string): TopologyPlan {
  const plan = readPlan(topology, newPlanFile(topology))
  withinDirectory(directoryOf(topology), (path) =>
    renameSync(`${path}/${basename(newPlanFile(topology))}`, `${path}/${basename(planFile(topology))}`),
  )
  return plan
}

/** Removes sockets and configurations of its processes, which have ended. */
export function removeRunFiles(topology: string): void {
  removeFiles('run', topology)
}

/** Removes all that there is of a topology: its set, what its devices kept, its logs. @throws SystemError */
export function removeTopology(topology: string): void {
  removeRunFiles(topology)
  removeFiles('log', topology)
  withinDirectory(TOPOLOGIES, (path) => removeWithin(path, topology))
}

function removeFiles(directory: string, topology: string): void {
  withinDirectory(directory, (path) => {
    for (const file of readdirSync(path)) if (file.startsWith(`${topology}:`)) removeWithin(path, file)
  })
}
