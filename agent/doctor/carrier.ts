/** Whether the interface is up and has a carrier, and how fast it is. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import type { LinkSpeed } from '#net/port/nic/ethtool.ts'

export interface CarrierFacts {
  readonly name: string
  readonly isUp: boolean
  readonly hasCarrier: boolean
  /** Undefined when the driver does not tell. */
  readonly speed: LinkSpeed | undefined
}

export function judgeCarrier({ name, isUp, hasCarrier, speed }: CarrierFacts): Finding {
  const facts = {
    isUp,
    hasCarrier: isUp ? hasCarrier : null,
    megabits: speed?.megabits ?? null,
    isHalfDuplex: speed?.isHalfDuplex ?? null,
  }
  if (!isUp)
    return warning(
      'down: hconnect brings it up while it runs; whether a cable is plugged in shows only then',
      `to see it now: ip link set ${name} up`,
      facts,
    )
  if (!hasCarrier)
    return failed(
      'up, but without a carrier',
      'plug the cable in; look at its other end, and whether that port is switched on',
      facts,
    )
  if (speed === undefined) return ok('up, with a carrier; the driver does not tell its speed', facts)
  if (speed.isHalfDuplex)
    return warning(
      `up, ${speed.megabits} Mbit/s half duplex: collisions lose frames`,
      'set the port at the other end to autonegotiation, as this one most likely is',
      facts,
    )
  return ok(`up, ${speed.megabits} Mbit/s full duplex`, facts)
}

export const carrierCheck: Check = {
  name: 'carrier',
  title: 'carrier',
  needs: ['nic'],
  run: async ({ nic, system }) => judgeCarrier((await system()).carrierFacts(nic)),
}
