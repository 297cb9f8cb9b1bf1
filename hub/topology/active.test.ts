import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { newPlanFile, planFile, readPlan } from '#hub/base/topology-plan.ts'
import { ActiveTopologies } from '#hub/topology/active.ts'
import { setDirectory } from '#hub/topology/library.ts'

let directory: string
let before: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-active-'))
  before = process.cwd()
  process.chdir(directory)
})
afterEach(() => {
  process.chdir(before)
  rmSync(directory, { recursive: true })
})

/** Takes plans of what does not run, as the supervisor does it. */
class Supervisor {
  readonly running = new Set<string>()

  async call(_: string, { name = '' }: { name?: string } = {}): Promise<void> {
    if (this.running.has(name)) throw new ProtocolError('running', `${name} is running already`)
    renameSync(newPlanFile(name), planFile(name))
    this.running.add(name)
  }
}

it('a start that is refused leaves the plan of what runs as it is', async () => {
  for (const name of ['one', 'two']) {
    mkdirSync(setDirectory(name), { recursive: true })
    writeFileSync(
      join(setDirectory(name), 'topology.vmm'),
      'config "c" { vm "a" { basedisk "centos"; interface "em0" { bridge "external"; }; }; };',
    )
  }
  const active = new ActiveTopologies(new Supervisor(), 'hub', '10.255.0.0/16')
  await active.start('one', 'ann')
  await expect(active.start('one', 'bob')).rejects.toThrow('one is running already')
  expect(active.ownerOf('one')).toBe('ann')
  await active.start('two')
  const [one, two] = [readPlan('one'), readPlan('two')]
  expect(two.devices[0]?.consolePort).not.toBe(one.devices[0]?.consolePort)
  expect(two.managementNetwork).not.toBe(one.managementNetwork)
})
