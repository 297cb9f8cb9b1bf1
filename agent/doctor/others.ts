/** Whether another hconnect or hub bridges the interface, or one that was killed has left it changed. */
import { type Check, type Finding, ok, unknown, warning } from '#agent/doctor/finding.ts'
import type { BridgedBy } from '#net/port/nic/bridged-by.ts'

/** @param by  undefined: this user may not know */
export function judgeOthers(by: BridgedBy | undefined): Finding {
  if (by === undefined)
    return unknown('only root may see whether another hconnect or hub bridges it', 'run this with sudo')
  const facts = { pids: by.pids.map(String), isLeftChanged: by.isLeftChanged }
  if (by.pids.length > 0)
    return warning(
      `bridged already, by process ${by.pids.join(', ')}`,
      'one hconnect for an interface and a bridge; a second one to the same bridge takes its port over',
      facts,
    )
  if (by.isLeftChanged)
    return warning(
      'a hconnect or hub that was killed has left it changed',
      'sudo hconnect doctor --restore',
      facts,
    )
  return ok('nobody else bridges it', facts)
}

export const othersCheck: Check = {
  name: 'others',
  title: 'bridged by',
  needs: ['nic'],
  run: async ({ nic, system }) => judgeOthers((await system()).bridgedBy(nic)),
}
