import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import {
  DROP_DELAY,
  DROP_LINK_DOWN,
  DROP_QUEUE_FULL,
  DROP_REASON_COUNT,
  PortCounters,
} from '#net/port/counters.ts'
import { countDrops, DropReport } from '#net/port/tunnel/drops.ts'
import { RECORD_DROPS, RECORD_HEADER_LEN, RecordScanner } from '#net/tunnel/framing.ts'

function sent(frames: number, octets: number): PortCounters {
  const counters = new PortCounters()
  counters.outFrames = frames
  counters.outOctets = octets
  return counters
}

const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('DropReport', () => {
  it('takes what was lost from what a port has sent, by reason', () => {
    const report = new DropReport()
    expect(report.isEmpty).toBe(true)
    report.add(DROP_DELAY, 2, 3000)
    report.add(DROP_QUEUE_FULL, 1, 60)
    report.add(DROP_DELAY, 3, 180)
    expect(report.isEmpty).toBe(false)
    const counters = sent(10, 10_000)
    const records: number[] = []
    const scanner = new RecordScanner({
      onFrames: () => expect.unreachable(),
      onControl: (type, payload) => {
        records.push(type)
        countDrops(payload, counters)
      },
    })
    const record = report.take()
    scanner.scan(record, 0, record.length)
    expect(records).toEqual([RECORD_DROPS])
    expect(counters.read()).toEqual({
      inFrames: 0,
      inOctets: 0,
      outFrames: 4,
      outOctets: 6760,
      inDrops: {},
      outDrops: { delay: 5, 'queue-full': 1 },
    })
    expect(report.isEmpty).toBe(true)
    report.add(DROP_LINK_DOWN, 1, 40)
    countDrops(report.take().subarray(RECORD_HEADER_LEN), counters)
    expect([counters.outFrames, counters.outOctets, counters.outDrops[DROP_LINK_DOWN]]).toEqual([3, 6720, 1])
  })

  it('tells the round trip once, with drops or without', () => {
    const report = new DropReport()
    const counters = sent(10, 1000)
    report.roundTripMs = 12.5
    expect(report.isEmpty).toBe(false)
    expect(countDrops(report.take().subarray(RECORD_HEADER_LEN), counters)).toBe(12.5)
    expect(report.isEmpty).toBe(true)
    report.add(DROP_DELAY, 1, 60)
    expect(countDrops(report.take().subarray(RECORD_HEADER_LEN), counters)).toBeUndefined()
    for (const roundTripMs of ['"1"', '-1', '1e9', 'null'])
      expect(() =>
        countDrops(octetsOf(`{"frames":{},"octets":0,"roundTripMs":${roundTripMs}}`), counters),
      ).toThrow(ProtocolError)
  })

  it('adds to the same sum however the drops are spread over records', () => {
    const drop = fc.tuple(fc.nat(DROP_REASON_COUNT - 1), fc.nat(50), fc.nat(70_000), fc.boolean())
    fc.assert(
      fc.property(fc.array(drop), (drops) => {
        const report = new DropReport()
        const counters = sent(1e6, 1e9)
        let [frames, octets] = [0, 0]
        for (const [reason, count, size, isTaken] of drops) {
          report.add(reason, count, size)
          frames += count
          octets += size
          if (isTaken) countDrops(report.take().subarray(RECORD_HEADER_LEN), counters)
        }
        if (!report.isEmpty) countDrops(report.take().subarray(RECORD_HEADER_LEN), counters)
        expect(1e6 - counters.outFrames).toBe(frames)
        expect(1e9 - counters.outOctets).toBe(octets)
        expect(counters.outDrops.reduce((sum, count) => sum + count, 0)).toBe(frames)
      }),
    )
  })
})

describe('countDrops', () => {
  it.each([
    '',
    'null',
    '[]',
    '7',
    '{',
    '{}',
    '{"frames":{}}',
    '{"octets":0}',
    '{"frames":[],"octets":0}',
    '{"frames":[1],"octets":0}',
    '{"frames":null,"octets":0}',
    '{"frames":{"delay":1},"octets":-1}',
    '{"frames":{"delay":1},"octets":"9"}',
    '{"frames":{"delay":1},"octets":1e400}',
    '{"frames":{"delay":-1},"octets":0}',
    '{"frames":{"delay":0.5},"octets":0}',
    '{"frames":{"delay":"1"},"octets":0}',
    '{"frames":{"delay":[1]},"octets":0}',
    '{"frames":{"delay":null},"octets":0}',
    '{"frames":{"delay":9007199254740992},"octets":0}',
    '{"frames":{"delay":1e999},"octets":0}',
    '{"frames":{"no-such-reason":1},"octets":0}',
    '{"frames":{"":1},"octets":0}',
    '{"frames":{"__proto__":1},"octets":0}',
    '{"frames":{"constructor":1},"octets":0}',
    '{"frames":{"delay":3,"toString":1},"octets":9}',
  ])('refuses nonsense, of which nothing is counted: %s', (text) => {
    const counters = sent(5, 500)
    const before = counters.read()
    expect(() => countDrops(octetsOf(text), counters)).toThrow(ProtocolError)
    expect(counters.read()).toEqual(before)
  })

  it('counts no more than was sent', () => {
    const counters = sent(5, 500)
    const most = Number.MAX_SAFE_INTEGER
    for (let i = 0; i < 100; i++)
      countDrops(octetsOf(JSON.stringify({ frames: { delay: 3, io: most }, octets: most })), counters)
    expect(counters.read()).toEqual({ ...sent(0, 0).read(), outDrops: { delay: 3, io: 2 } })
  })
})
