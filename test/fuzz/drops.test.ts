/** Drops records and COUNTS of anybody's making: counters stay counts, or nothing changes. */
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { PortCounters } from '#net/port/counters.ts'
import { CountsReader, countsPayload, parseFailure, parseLimit } from '#net/port/pcap/records.ts'
import { countDrops } from '#net/port/tunnel/drops.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function expectCounts(counters: PortCounters): void {
  const { inFrames, inOctets, outFrames, outOctets, inDrops, outDrops } = counters
  for (const count of [inFrames, inOctets, outFrames, outOctets, ...inDrops, ...outDrops])
    expect(Number.isFinite(count) && count >= 0 && Number.isInteger(count)).toBe(true)
}

/** True: taken; false: refused as the far side's fault. Anything else is thrown. */
function isTaken(action: () => void): boolean {
  try {
    action()
    return true
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return false
  }
}

const name = fc.constantFrom('delay', 'queue-full', 'link-down', 'io', 'nothing', '__proto__', '')
const number = fc.oneof(
  fc.nat(2000),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(2 ** 53, -0, 1e308),
  fc.string({ maxLength: 3 }),
)
const drops = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.json().map(text),
  fc
    .record(
      { frames: fc.dictionary(name, number), octets: number, roundTripMs: number },
      { requiredKeys: [] },
    )
    .map((value) => text(JSON.stringify(value))),
)

it(
  'drops records never make counters of what is none',
  () => {
    fc.assert(
      fc.property(fc.array(drops, { maxLength: 8 }), fc.nat(3000), (payloads, sent) => {
        const counters = new PortCounters()
        counters.outFrames = sent
        counters.outOctets = sent * 60
        for (const payload of payloads) {
          const before = counters.read()
          const isCounted = isTaken(() => countDrops(payload, counters))
          expect(isCounted || isDeepStrictEqual(counters.read(), before)).toBe(true)
          expectCounts(counters)
          expect(counters.outFrames + counters.outDrops.reduce((sum, count) => sum + count, 0)).toBe(sent)
        }
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)

const LENGTH = countsPayload(new PortCounters()).length
const counts = fc.oneof(
  fc.uint8Array({ minLength: LENGTH, maxLength: LENGTH }),
  fc.uint8Array({ maxLength: LENGTH + 8 }),
  fc
    .array(fc.oneof(fc.nat(1e6), fc.double(), fc.constantFrom(Number.NaN, -1, Infinity)), {
      minLength: LENGTH / 8,
      maxLength: LENGTH / 8,
    })
    .map((numbers) => new Uint8Array(Float64Array.from(numbers).buffer)),
  fc
    .array(fc.nat(1e6), { minLength: LENGTH / 8, maxLength: LENGTH / 8 })
    .map((numbers) => new Uint8Array(Float64Array.from(numbers).buffer)),
)

it(
  'records of a pcap process are taken, or refused',
  () => {
    fc.assert(
      fc.property(fc.array(counts, { maxLength: 6 }), fc.uint8Array({ maxLength: 60 }), (all, octets) => {
        const counters = new PortCounters()
        const reader = new CountsReader()
        for (const payload of all) {
          const before = counters.read()
          const isCounted = isTaken(() => reader.add(payload, counters))
          expect(isCounted || isDeepStrictEqual(counters.read(), before)).toBe(true)
          expectCounts(counters)
          expect(reader.accounted).toBe(
            counters.outFrames + counters.outDrops.reduce((sum, count) => sum + count, 0),
          )
        }
        isTaken(() => parseLimit(octets))
        isTaken(() => parseFailure(octets))
        isTaken(() => parseFailure(text(JSON.stringify({ code: octets.length, message: null }))))
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
