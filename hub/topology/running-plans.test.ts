import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { planFile, runningMark } from '#hub/base/topology-plan.ts'
import { RunningPlans } from '#hub/topology/running-plans.ts'

const home = process.cwd()
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-plans-'))
  process.chdir(directory)
})
afterEach(() => {
  process.chdir(home)
  rmSync(directory, { recursive: true })
})

const PLAN = { owner: '', bridges: ['a'], devices: [], managementNetwork: null }

/** As the control process writes it. */
function plan(name: string, more: object = {}): void {
  mkdirSync(`topologies/${name}`, { recursive: true })
  writeFileSync(`${planFile(name)}.new`, JSON.stringify({ name, ...PLAN, ...more }))
  renameSync(`${planFile(name)}.new`, planFile(name))
}

it('has the plans of those that run, as they are now', () => {
  const faults: string[] = []
  const running = new RunningPlans((text) => faults.push(text))
  const names = (): string[] => running.list().map(({ name, owner }) => `${name}:${owner}`)
  expect(names()).toEqual([])
  for (const name of ['two', 'one', 'bad']) plan(name)
  expect(names()).toEqual([])
  for (const name of ['two', 'one', 'bad']) writeFileSync(runningMark(name), '')
  writeFileSync(planFile('bad'), '{}')
  expect(names()).toEqual(['one:', 'two:'])
  expect(names()).toEqual(['one:', 'two:'])
  expect(faults).toEqual([expect.stringContaining('topologies/bad/plan.json')])
  plan('two', { owner: 'ann' })
  expect(names()).toEqual(['one:', 'two:ann'])
  rmSync(runningMark('one'))
  expect(names()).toEqual(['two:ann'])
  expect(running.list()[0]?.declared).toEqual([])
})
