/** Which hub is meant, and as whom. */
import { type Check, type Finding, ok, skipped } from '#agent/doctor/finding.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import type { Target } from '#agent/options.ts'

export function judgeHub(target: Pick<Target, 'host' | 'port' | 'user'> | undefined): Finding {
  if (target === undefined) return skipped('none is given; -s HOST looks at the way to it')
  const { host, port, user } = target
  return ok(`${formatHubAddress(host, port)}, as ${user}`, { host, port, user })
}

export const hubCheck: Check = {
  name: 'hub',
  title: 'hub',
  needs: [],
  run: ({ target }) => judgeHub(target),
}
