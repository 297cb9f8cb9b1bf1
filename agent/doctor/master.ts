/** Whether the interface is already a port of a bridge, bond or team. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'

export function judgeMaster(name: string, master: string | undefined): Finding {
  if (master === undefined) return ok('no bridge, bond or team', { master: null })
  return warning(
    `${name} is a port of ${master}, which takes its frames as well: they may come twice, or loop`,
    `ip link set ${name} nomaster; or bridge ${master}: -n ${master}`,
    { master },
  )
}

export const masterCheck: Check = {
  name: 'master',
  title: 'part of',
  needs: ['nic'],
  run: async ({ nic, system }) => {
    const { name, master } = (await system()).surroundings(nic)
    return judgeMaster(name, master)
  },
}
