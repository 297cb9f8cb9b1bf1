/** Whether the hub's port can be reached with TCP. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import type { Reached } from '#agent/doctor/dialling.ts'

/** What a first connection may take before people notice. */
const SLOW_MS = 1000

export function judgeReach(reached: Reached | undefined, failure: string): Finding {
  if (reached === undefined)
    return failed(
      failure,
      'is the hub running (ss -ltn there), is the port right (-s HOST:PORT), does a firewall let it through?',
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
    return judgeReach(await dialling.reached, dialling.failure?.message ?? 'no connection')
  },
}
