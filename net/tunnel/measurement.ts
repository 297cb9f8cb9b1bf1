/**
 * What is said on the channel of a measurement (`hybridge measure up|down`), in the records of the tunnel:
 *
 *    hub    HELLO {"protocol":"hybridge-measure","time":...}      time: milliseconds since 1970
 *    up     agent FRAME..., BYE;  hub BYE {"octets":...,"ms":...}, what has arrived, from the first octet to the last
 *    down   hub FRAME..., BYE; the agent counts
 *    both   PING, which is answered with PONG
 *
 * Frames are filler. What the peer says is clipped to what a measurement can be.
 */
import { isRecord } from '#net/base/unknown.ts'
import { controlRecord, RECORD_BYE, RECORD_HELLO } from '#net/tunnel/framing.ts'

/** One direction takes no longer. */
export const LONGEST_LOAD_MS = 10_000
/** And no more octets. */
export const MOST_LOAD_OCTETS = 1 << 30

const PROTOCOL = 'hybridge-measure'

/** What has arrived: octets of frame records, and the milliseconds from the first to the last. */
export interface Arrived {
  readonly octets: number
  readonly ms: number
}

/** @param time  milliseconds since 1970 */
export const greetingRecord = (time: number): Uint8Array =>
  controlRecord(RECORD_HELLO, jsonOctets({ protocol: PROTOCOL, time }))

/** The hub's time, milliseconds since 1970; undefined when it is no greeting. */
export function decodeGreeting(payload: Uint8Array): number | undefined {
  const fields = parse(payload)
  const time = fields['time']
  return fields['protocol'] === PROTOCOL && typeof time === 'number' ? time : undefined
}

export const arrivedRecord = ({ octets, ms }: Arrived): Uint8Array =>
  controlRecord(RECORD_BYE, jsonOctets({ octets, ms }))

/** Undefined when it is none. */
export function decodeArrived(payload: Uint8Array): Arrived | undefined {
  const { octets, ms } = parse(payload)
  if (typeof octets !== 'number' || typeof ms !== 'number' || !(octets >= 0) || !(ms >= 0)) return undefined
  return { octets: Math.min(octets, 2 * MOST_LOAD_OCTETS), ms: Math.min(ms, 2 * LONGEST_LOAD_MS) }
}

const jsonOctets = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

function parse(payload: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload))
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}
