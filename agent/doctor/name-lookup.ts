/** Whether the hub's name leads to addresses, and how soon. */
import { isIP } from 'node:net'

import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'

/** Longer makes every reconnect wait. */
const SLOW_MS = 2000

export interface Lookup {
  readonly host: string
  readonly addresses: readonly string[]
  readonly ms: number
  /** Why there is none. */
  readonly problem: string | undefined
}

export function judgeLookup({ host, addresses, ms, problem }: Lookup): Finding {
  const facts = { host, addresses, ms: Math.round(ms) }
  if (problem !== undefined)
    return failed(
      `${host}: ${problem}`,
      'look at the spelling and at /etc/resolv.conf; or give an address in place of the name',
      facts,
    )
  const text = addresses.join(', ')
  if (isIP(host) !== 0) return ok(`${host} is an address`, facts)
  if (ms > SLOW_MS)
    return warning(
      `${host} is ${text}, told only after ${(ms / 1000).toFixed(1)} s`,
      'a name server does not answer: see /etc/resolv.conf',
      facts,
    )
  return ok(`${host} is ${text} (${Math.round(ms)} ms)`, facts)
}

export const lookupCheck: Check = {
  name: 'lookup',
  title: 'name',
  needs: ['way'],
  run: async (patient) => {
    const lookup = await (await patient.system()).lookUp((await patient.hub()).nearest)
    patient.addresses = lookup.addresses
    return judgeLookup(lookup)
  },
}
