/** The MTU of the interface, and what its driver takes. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'
import { LEAST_MTU, longestFrame } from '#net/port/nic/mtu.ts'

export interface MtuFacts {
  /** Octets. */
  readonly now: number
  /** What the driver takes; undefined: it sets no limit, or does not tell. */
  readonly most: number | undefined
}

export function judgeMtu({ now, most }: MtuFacts): Finding {
  const facts = { mtuOctets: now, mostOctets: most ?? null }
  if (now >= LEAST_MTU) return ok(`${now}`, facts)
  if (most === undefined || most >= LEAST_MTU)
    return ok(`${now}; the driver takes ${most ?? 'more'}, and hconnect raises it while it runs`, facts)
  return warning(
    `${now}, and the driver takes ${most}: frames over ${longestFrame(most)} octets do not pass`,
    `four tags on full frames need ${LEAST_MTU}: use another interface, or a smaller MTU in the lab`,
    facts,
  )
}

export const mtuCheck: Check = {
  name: 'mtu',
  title: 'MTU',
  needs: ['nic'],
  run: async ({ nic, system }) => judgeMtu((await system()).mtuFacts(nic)),
}
