import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { RECORD_HEADER_LEN } from '#net/tunnel/framing.ts'
import {
  arrivedRecord,
  decodeArrived,
  decodeGreeting,
  greetingRecord,
  LONGEST_LOAD_MS,
} from '#net/tunnel/measurement.ts'

const payload = (record: Uint8Array): Uint8Array => record.subarray(RECORD_HEADER_LEN)
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

it('gives back what was said', () => {
  expect(decodeGreeting(payload(greetingRecord(1_795_000_000_000)))).toBe(1_795_000_000_000)
  expect(decodeArrived(payload(arrivedRecord({ octets: 5, ms: 7.5 })))).toEqual({ octets: 5, ms: 7.5 })
})

it('clips what no measurement can be, and takes nothing else for an answer', () => {
  expect(decodeArrived(json({ octets: 1, ms: 1e300 }))).toEqual({ octets: 1, ms: 2 * LONGEST_LOAD_MS })
  for (const odd of [json({ octets: -1, ms: 1 }), json({ octets: '1', ms: 1 }), json([]), json(null)])
    expect(decodeArrived(odd)).toBeUndefined()
  expect(decodeGreeting(json({ protocol: 'hybridge', time: 1 }))).toBeUndefined()
})

it('throws at no octets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
      decodeGreeting(octets)
      decodeArrived(octets)
    }),
  )
})
