/**
 * Control records between a `pcap` port and its process, beside the FRAME records of net/tunnel/framing.ts.
 *
 * To the process: LIMIT, 4 octets, the longest frame that is handed over, in octets without a tag.
 * From it: OPENED, empty; FAILED, JSON `{"code","message"}`, before it ends; COUNTS, 64-bit numbers, since its start.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { DROP_REASON_COUNT, type PortCounters } from '#net/port/counters.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import { float64, putU32, u32 } from '#net/wire/octets.ts'

export const RECORD_LIMIT = 0x80
export const RECORD_OPENED = 0x81
export const RECORD_FAILED = 0x82
export const RECORD_COUNTS = 0x83

/** OUT frames and octets, then the drops by reason, IN and OUT. */
const COUNTS = 2 + 2 * DROP_REASON_COUNT

export function limitPayload(octets: number): Uint8Array {
  const payload = new Uint8Array(4)
  putU32(payload, 0, octets)
  return payload
}

/** @throws ProtocolError */
export function parseLimit(payload: Uint8Array): number {
  if (payload.length !== 4) throw malformed('LIMIT', payload)
  return u32(payload, 0)
}

export interface Failure {
  /** Name of the errno that fits. */
  readonly code: string
  readonly message: string
}

export const failurePayload = (failure: Failure): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(failure))

/** @throws ProtocolError */
export function parseFailure(payload: Uint8Array): Failure {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(payload))
  } catch {
    throw malformed('FAILED', payload)
  }
  if (!isRecord(value)) throw malformed('FAILED', payload)
  return { code: textOr(value['code'], 'EIO'), message: textOr(value['message'], 'unknown') }
}

/** What the process counts: frames that it sent, and frames that were lost in it, either way. */
export function countsPayload(counters: PortCounters): Uint8Array {
  const { outFrames, outOctets, inDrops, outDrops } = counters
  return new Uint8Array(Float64Array.of(outFrames, outOctets, ...inDrops, ...outDrops).buffer)
}

/** Adds to a port's counters what is new in the COUNTS of one process. */
export class CountsReader {
  readonly #last = new Float64Array(COUNTS)
  readonly #new = new Float64Array(COUNTS)
  readonly #octets = new Uint8Array(this.#new.buffer)
  /** OUT frames that were sent or lost so far. */
  accounted = 0

  /** @throws ProtocolError when they are no counts, or less than before; nothing is added then */
  add(payload: Uint8Array, counters: PortCounters): void {
    if (payload.length !== this.#octets.length) throw malformed('COUNTS', payload)
    this.#octets.set(payload)
    for (let i = 0; i < COUNTS; i++) {
      const count = float64(this.#new, i)
      if (!Number.isSafeInteger(count) || count < float64(this.#last, i)) throw malformed('COUNTS', payload)
    }
    const news = (i: number): number => float64(this.#new, i) - float64(this.#last, i)
    counters.outFrames += news(0)
    counters.outOctets += news(1)
    this.accounted += news(0)
    for (let reason = 0; reason < DROP_REASON_COUNT; reason++) {
      const lost = news(2 + DROP_REASON_COUNT + reason)
      counters.dropIn(reason, news(2 + reason))
      counters.dropOut(reason, lost)
      this.accounted += lost
    }
    this.#last.set(this.#new)
  }
}

const malformed = (name: string, payload: Uint8Array): ProtocolError =>
  new ProtocolError('malformed', `${name} record of ${payload.length} octets`)
