/**
 * The DROPS record, on the stream from a gateway to the fabric: what the gateway's queue has lost of the frames that the
 * fabric's port has counted as sent, and how long the way to the agent takes. JSON: wire frames by reason, the octets of all
 * of them, milliseconds of the round trip if they are known.
 */
import { isRecord } from '#net/base/unknown.ts'
import { ProtocolError } from '#net/base/errors.ts'
import { dropReason, dropReasonName, type PortCounters } from '#net/port/counters.ts'
import { controlRecord, RECORD_DROPS } from '#net/tunnel/framing.ts'

const MOST_ROUND_TRIP_MS = 600_000

/** Counts drops since the last record. */
export class DropReport {
  readonly #frames = new Map<string, number>()
  #octets = 0
  /** To be told once. */
  roundTripMs: number | undefined

  get isEmpty(): boolean {
    return this.#frames.size === 0 && this.roundTripMs === undefined
  }

  add(reason: number, frames: number, octets: number): void {
    const name = dropReasonName(reason)
    this.#frames.set(name, (this.#frames.get(name) ?? 0) + frames)
    this.#octets += octets
  }

  /** The record, and begins anew. */
  take(): Uint8Array {
    const payload = JSON.stringify({
      frames: Object.fromEntries(this.#frames),
      octets: this.#octets,
      roundTripMs: this.roundTripMs,
    })
    this.#frames.clear()
    this.#octets = 0
    this.roundTripMs = undefined
    return controlRecord(RECORD_DROPS, new TextEncoder().encode(payload))
  }
}

/**
 * Takes the drops of a record over into the counters of the port: no more frames than were sent.
 * @returns milliseconds of the round trip, undefined when the record does not say
 * @throws ProtocolError `malformed`; nothing is counted then
 */
export function countDrops(payload: Uint8Array, counters: PortCounters): number | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(payload))
  } catch {
    throw new ProtocolError('malformed', 'the drops record is not JSON')
  }
  const frames = isRecord(value) ? value['frames'] : undefined
  const octets = isRecord(value) ? value['octets'] : undefined
  if (!isRecord(frames) || !isCount(octets)) throw nonsense()
  const roundTripMs = isRecord(value) ? value['roundTripMs'] : undefined
  if (roundTripMs !== undefined && !isRoundTrip(roundTripMs)) throw nonsense()
  const drops = Object.entries(frames).map(([name, count]) => {
    const reason = dropReason(name)
    if (reason < 0 || !isCount(count)) throw nonsense()
    return { reason, count }
  })
  for (const { reason, count } of drops) {
    const lost = Math.min(count, counters.outFrames)
    counters.outFrames -= lost
    counters.dropOut(reason, lost)
  }
  counters.outOctets = Math.max(0, counters.outOctets - octets)
  return roundTripMs
}

const nonsense = (): ProtocolError => new ProtocolError('malformed', 'the drops record counts nonsense')

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const isRoundTrip = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= MOST_ROUND_TRIP_MS
