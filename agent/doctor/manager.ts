/** Whether NetworkManager looks after the interface. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'

export function judgeManager(name: string, isManaged: boolean): Finding {
  if (!isManaged) return ok('NetworkManager leaves it alone', { isManaged })
  return warning(
    'NetworkManager manages it, and may give it addresses or take it down',
    `nmcli device set ${name} managed no`,
    { isManaged },
  )
}

export const managerCheck: Check = {
  name: 'manager',
  title: 'managed by',
  needs: ['nic'],
  run: async ({ nic, system }) => {
    const { name, isManaged } = (await system()).surroundings(nic)
    return judgeManager(name, isManaged)
  },
}
