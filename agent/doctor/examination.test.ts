import { describe, expect, it } from 'vitest'
import { Examination } from '#agent/doctor/examination.ts'
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'
import type { Patient } from '#agent/doctor/patient.ts'
import { parseArguments } from '#agent/options.ts'

function never(): never {
  throw new Error('it ran')
}
const none = () => Promise.reject(new Error('there is none'))
const patient: Patient = {
  args: (await parseArguments(['doctor'], '0')) ?? never(),
  config: {},
  env: {},
  nic: 'eth1',
  bridges: [],
  target: undefined,
  isAsking: false,
  system: none,
  hub: none,
  dialling: none,
  addresses: [],
  seesForeign: false,
}
const check = (name: string, run: () => Finding | Promise<Finding>, ...needs: string[]): Check => ({
  name,
  title: name.toUpperCase(),
  needs,
  run,
})

async function statuses(checks: readonly Check[], longestMs?: number) {
  const examination = new Examination(patient, longestMs)
  const found: [string, string | undefined][] = []
  for (const one of checks) {
    const { finding, cause } = await examination.run(one)
    found.push([finding.status, cause])
  }
  return found
}

describe('an examination', () => {
  it('skips what needs a check that failed, and names that one all the way', async () => {
    expect(
      await statuses([
        check('a', () => failed('no', 'do')),
        check('b', never, 'a'),
        check('c', never, 'b'),
        check('d', () => ok('yes')),
        check('e', () => ok('yes'), 'd'),
      ]),
    ).toEqual([
      ['failed', undefined],
      ['skipped', 'A'],
      ['skipped', 'A'],
      ['ok', undefined],
      ['ok', undefined],
    ])
  })

  it('cannot tell where a check throws or takes too long, and goes on', async () => {
    const broken = check('a', () => Promise.reject(new Error('broken')))
    const endless = check('b', () => new Promise<Finding>(() => {}))
    expect(await statuses([broken, endless, check('c', () => ok('yes'), 'a')], 20)).toEqual([
      ['unknown', undefined],
      ['unknown', undefined],
      ['ok', undefined],
    ])
    const { finding } = await new Examination(patient).run(broken)
    expect(finding.found).toBe('this check failed itself: broken')
  })
})
