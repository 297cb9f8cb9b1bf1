/** Whether the hub's port can be reached with TCP. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import type { Reached } from '#agent/doctor/dialling.ts'

/** What a first connection may take before people notice. */
const SLOW_MS = 1000

/** @param first  what is reached in place of the hub: a proxy or a jump host */
export function judgeReach(
  reached: Reached | undefined,
  failure: string,
  first: string | undefined,
): Finding {
  if (reached === undefined)
    return failed(
      failure,
      first === undefined
        ? 'at the hub: ss -ltn; here: -s HOST:PORT; a firewall between the two'
        : `does ${first} run, is its address right, does a firewall let it through?`,
    )
  const { address, localAddress, ms } = reached
  const facts = { address, localAddress, ms: Math.round(ms) }
  const text = `connected to ${address} from ${localAddress} in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  return ms > SLOW_MS
    ? warning(text, 'a first address that leads nowhere, or loss on the way: ping the hub', facts)
    : ok(text, facts)
}

export const reachCheck: Check = {
  name: 'reach',
  title: 'TCP',
  needs: ['route'],
  run: async (patient) => {
    const dialling = await patient.dialling()
    const { nearest, steps } = await patient.hub()
    const first = nearest === patient.target?.host ? undefined : steps[0]
    const reached = await dialling.reached
    return judgeReach(reached, dialling.failure?.message ?? 'no connection', first)
  },
}
