/** Offloads of the interface that merge frames in ways that a bridge cannot tell. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'
import type { OffloadChoice } from '#net/port/nic/offloads.ts'

export function judgeOffloads({ off, stuck }: OffloadChoice): Finding {
  const facts = { off, stuck }
  if (stuck.length > 0)
    return warning(
      `${stuck.join(', ')} is on and fixed: what it merges is lost (drops bad-offload)`,
      'use an interface with another driver',
      facts,
    )
  return off.length === 0
    ? ok('none is in the way', facts)
    : ok(`hconnect switches ${off.join(', ')} off while it runs`, facts)
}

export const offloadsCheck: Check = {
  name: 'offloads',
  title: 'offloads',
  needs: ['nic'],
  run: async ({ nic, system }) => judgeOffloads((await system()).offloadFacts(nic)),
}
