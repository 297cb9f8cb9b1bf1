/** Whether this machine's clock is right: against the hub's, else whether it is kept by NTP. */
import { type Check, type Finding, ok, unknown, warning } from '#agent/doctor/finding.ts'
import { connectionOf } from '#agent/doctor/patient.ts'

/** Certificates and logs tell nothing wrong until then. */
const MUCH_MS = 60_000

interface ClockFacts {
  /** Ours minus the hub's, milliseconds; undefined: the hub does not tell its time. */
  readonly aheadMs: number | undefined
  /** Something keeps it right; undefined: the kernel does not tell. */
  readonly isKept: boolean | undefined
}

const REMEDY = 'timedatectl set-ntp true, or chrony; date shows the time'

export function judgeClock({ aheadMs, isKept }: ClockFacts): Finding {
  const facts = { aheadMs: aheadMs === undefined ? null : Math.round(aheadMs), isKept: isKept ?? null }
  const kept = isKept === undefined ? '' : isKept ? '; kept by NTP' : '; not kept by NTP'
  if (aheadMs !== undefined) {
    const seconds = Math.abs(aheadMs / 1000)
    if (seconds * 1000 <= MUCH_MS) return ok(`within ${Math.ceil(seconds)} s of the hub's${kept}`, facts)
    return warning(
      `${Math.round(seconds)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the hub's${kept}: logs do not ` +
        'match, certificates may not be accepted',
      REMEDY,
      facts,
    )
  }
  if (isKept === undefined)
    return unknown('neither the hub nor the kernel tells whether it is right', REMEDY, facts)
  return isKept ? ok('kept by NTP', facts) : warning('not kept by NTP', REMEDY, facts)
}

export const clockCheck: Check = {
  name: 'clock',
  title: 'clock',
  needs: ['koffi'],
  run: async (patient) => {
    const { hubTime, isClockKept } = await patient.system()
    const connection = patient.target && (await connectionOf(patient).catch(() => undefined))
    const time = connection && (await hubTime(connection))
    return judgeClock({ aheadMs: time && Date.now() - time, isKept: isClockKept() })
  },
}
