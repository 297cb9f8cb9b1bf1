/** How fast the way to the hub is, both ways, and how long it takes, idle and under load. */
import { type Check, type Finding, ok, skipped, unknown, warning } from '#agent/doctor/finding.ts'
import type { Direction, Measured, RoundTrips } from '#agent/doctor/measurement.ts'
import { connectionOf } from '#agent/doctor/patient.ts'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'

/** More of a queue than this makes people wait. */
const MUCH_QUEUE_MS = 200

export function judgeMeasured({ idle, up, down }: Measured): Finding {
  const facts = {
    ...roundTripFacts('idle', idle),
    ...directionFacts('up', up),
    ...directionFacts('down', down),
  }
  const text =
    `round trip ${formatMs(idle)}; up ${formatRate(up)}, round trip then ${formatMs(up.loaded)}; ` +
    `down ${formatRate(down)}, round trip then ${formatMs(down.loaded)}`
  const queueMs = Math.max(...[up, down].map(({ loaded }) => (loaded?.median ?? 0) - (idle?.median ?? 0)))
  if (up.octets === 0 || down.octets === 0)
    return warning(text, 'nothing passed one way: look for loss, or for an MTU that is too large', facts)
  if (queueMs <= MUCH_QUEUE_MS) return ok(text, facts)
  return warning(
    text,
    'a long queue fills under load, here or on the way: others use the link, or it is shaped badly',
    facts,
  )
}

const round = (ms: number | undefined): number | null =>
  ms === undefined ? null : Math.round(ms * 100) / 100

function roundTripFacts(name: string, trips: RoundTrips | undefined): Record<string, number | null> {
  return {
    [`${name}RoundTripLeastMs`]: round(trips?.least),
    [`${name}RoundTripMedianMs`]: round(trips?.median),
    [`${name}RoundTripMostMs`]: round(trips?.most),
  }
}

const directionFacts = (
  name: string,
  { bitsPerSecond, octets, loaded }: Direction,
): Record<string, number | null> => ({
  [`${name}BitsPerSecond`]: bitsPerSecond,
  [`${name}Octets`]: octets,
  ...roundTripFacts(`${name}Loaded`, loaded),
})

const formatMs = (trips: RoundTrips | undefined): string =>
  trips === undefined
    ? 'unknown'
    : `${trips.median < 10 ? trips.median.toFixed(1) : Math.round(trips.median)} ms`

/** Of three digits, as far as they go. */
function formatRate({ bitsPerSecond }: Direction): string {
  for (const [unit, name] of [[1e9, 'Gbit/s'] as const, [1e6, 'Mbit/s'] as const])
    if (bitsPerSecond >= unit) return `${Number((bitsPerSecond / unit).toPrecision(3))} ${name}`
  return `${Number((bitsPerSecond / 1000).toPrecision(3))} kbit/s`
}

export const measureCheck: Check = {
  name: 'measure',
  title: 'speed',
  needs: ['login'],
  run: async (patient) => {
    if (!patient.args.measure) return skipped('not measured: --no-measure')
    try {
      return judgeMeasured(await (await patient.system()).measure(await connectionOf(patient)))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return unknown(
        `not measured: ${reasonOf(error)}`,
        'try again; an older hub offers no measurement: update it',
      )
    }
  },
}
