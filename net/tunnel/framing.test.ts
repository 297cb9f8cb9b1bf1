import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import {
  controlRecord,
  MAX_CONTROL_PAYLOAD,
  MAX_FRAME_PAYLOAD,
  putRecordHeader,
  RECORD_BYE,
  RECORD_FRAME,
  RECORD_HEADER_LEN,
  RECORD_PING,
  RecordScanner,
} from '#net/tunnel/framing.ts'
import { u24, u8 } from '#net/wire/octets.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

interface Record {
  type: number
  payload: Uint8Array
}

/** What a scanner says, in order; runs of frames are joined while no control record comes between. */
class Collector {
  readonly events: string[] = []
  readonly spans: Uint8Array[] = []
  readonly scanner = new RecordScanner({
    onFrames: (chunk, start, end) => {
      const octets = chunk.slice(start, end)
      this.spans.push(octets)
      const text = Buffer.from(octets).toString('hex')
      const last = this.events.length - 1
      if (this.events[last]?.startsWith('frames ') === true) this.events[last] += text
      else this.events.push(`frames ${text}`)
    },
    onControl: (type, payload) => {
      this.events.push(`control ${type} ${Buffer.from(payload).toString('hex')}`)
    },
  })
}

/** What is to come of records, however they are cut. */
function expected(records: readonly Record[]): string[] {
  const events: string[] = []
  for (const { type, payload } of records) {
    const text = Buffer.from(payload).toString('hex')
    if (type !== RECORD_FRAME) events.push(`control ${type} ${text}`)
    else {
      const record = Buffer.from(controlRecord(type, payload)).toString('hex')
      const last = events.length - 1
      if (events[last]?.startsWith('frames ') === true) events[last] += record
      else events.push(`frames ${record}`)
    }
  }
  return events
}

const encode = (records: readonly Record[]): Uint8Array =>
  new Uint8Array(Buffer.concat(records.map(({ type, payload }) => controlRecord(type, payload))))

/** Feeds `stream` cut at `cuts`, each piece in a buffer with other octets around it. */
function scan(collector: Collector, stream: Uint8Array, cuts: readonly number[]): void {
  let at = 0
  for (const cut of [...cuts, stream.length]) {
    const piece = new Uint8Array(cut - at + 7).fill(0xee)
    piece.set(stream.subarray(at, cut), 3)
    collector.scanner.scan(piece, 3, 3 + cut - at)
    at = cut
  }
}

/** Walks spans header by header. @returns what is missing at the end; NaN when a span begins or ends inside a header */
function octetsMissing(spans: readonly Uint8Array[]): number {
  let left = 0
  for (const span of spans)
    for (let at = 0; at < span.length;) {
      if (left === 0) {
        if (span.length - at < RECORD_HEADER_LEN || u8(span, at) !== RECORD_FRAME) return Number.NaN
        left = u24(span, at + 1)
        at += RECORD_HEADER_LEN
      }
      const take = Math.min(left, span.length - at)
      left -= take
      at += take
    }
  return left
}

const record = fc.oneof(
  fc.record({ type: fc.constant(RECORD_FRAME), payload: fc.uint8Array({ minLength: 11, maxLength: 60 }) }),
  fc.record({ type: fc.integer({ min: 2, max: 255 }), payload: fc.uint8Array({ maxLength: 40 }) }),
)

describe('controlRecord', () => {
  it('is one octet of type, three of length, the payload', () => {
    expect(controlRecord(RECORD_BYE, hex('7b 7d'))).toEqual(hex('05 000002 7b7d'))
    const header = new Uint8Array(6)
    putRecordHeader(header, 1, RECORD_FRAME, 0x01_02_03)
    expect(header).toEqual(hex('00 01 010203 00'))
  })
})

describe('RecordScanner', () => {
  const FRAME = hex('01 00000e 00000000000000000000 aabbccdd')
  const PING = hex('03 000008 0102030405060708')
  const EMPTY = hex('4d 000000')
  const golden = new Uint8Array(Buffer.concat([FRAME, FRAME, PING, EMPTY, FRAME]))

  it('hands frames on with their headers, and control records without', () => {
    const collector = new Collector()
    collector.scanner.scan(golden, 0, golden.length)
    const frame = Buffer.from(FRAME).toString('hex')
    expect(collector.events).toEqual([
      `frames ${frame}${frame}`,
      'control 3 0102030405060708',
      'control 77 ',
      `frames ${frame}`,
    ])
    expect(collector.spans).toHaveLength(2)
  })

  it('says the same for every cut in two, and octet by octet', () => {
    const whole = new Collector()
    scan(whole, golden, [])
    for (let cut = 0; cut <= golden.length; cut++) {
      const collector = new Collector()
      scan(collector, golden, [cut])
      expect(collector.events).toEqual(whole.events)
    }
    const single = new Collector()
    scan(
      single,
      golden,
      golden.reduce<number[]>((cuts, _octet, i) => [...cuts, i], []),
    )
    expect(single.events).toEqual(whole.events)
  })

  it('says the same however a stream is cut', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.array(fc.nat(800)), (records, where) => {
        const stream = encode(records)
        const cuts = where.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b)
        const collector = new Collector()
        scan(collector, stream, cuts)
        expect(collector.events).toEqual(expected(records))
      }),
    )
  })

  it('never begins or ends a span inside a header', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(500)),
        (records, where) => {
          const stream = encode(records)
          const cuts = where.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b)
          const collector = new Collector()
          scan(collector, stream, cuts)
          expect(octetsMissing(collector.spans)).toBe(0)
        },
      ),
    )
  })

  it('knows how much is left of the frame under way', () => {
    const { scanner } = new Collector()
    expect(scanner.leftInFrame).toBe(0)
    scanner.scan(FRAME, 0, 3)
    expect(scanner.leftInFrame).toBe(0)
    scanner.scan(FRAME, 3, 10)
    expect(scanner.leftInFrame).toBe(8)
    scanner.scan(FRAME, 10, FRAME.length)
    expect(scanner.leftInFrame).toBe(0)
    scanner.scan(PING, 0, 6)
    expect(scanner.leftInFrame).toBe(0)
  })

  it.each([
    ['a frame of no octets', RECORD_FRAME, 0],
    ['a frame without an Ethernet octet', RECORD_FRAME, 10],
    ['a frame that is too long', RECORD_FRAME, MAX_FRAME_PAYLOAD + 1],
    ['a frame as long as can be said', RECORD_FRAME, 0xff_ff_ff],
    ['a control record that is too long', RECORD_PING, MAX_CONTROL_PAYLOAD + 1],
    ['an unknown record that is too long', 200, 0xff_ff_ff],
    ['type 0', 0, 4],
  ])('refuses %s, whole and octet by octet', (_what, type, length) => {
    const header = new Uint8Array(RECORD_HEADER_LEN)
    putRecordHeader(header, 0, type, length)
    const refusal = expect.objectContaining({ code: 'frame-length' })
    const whole = new Collector()
    expect(() => whole.scanner.scan(header, 0, 4)).toThrow(ProtocolError)
    expect(() => new Collector().scanner.scan(header, 0, 4)).toThrow(refusal)
    const single = new Collector()
    for (let i = 0; i < 3; i++) single.scanner.scan(header, i, i + 1)
    expect(() => single.scanner.scan(header, 3, 4)).toThrow(refusal)
    expect([...whole.events, ...single.events]).toEqual([])
  })

  it('takes records of the longest allowed length', () => {
    const records = [
      { type: RECORD_FRAME, payload: new Uint8Array(MAX_FRAME_PAYLOAD).fill(1) },
      { type: RECORD_PING, payload: new Uint8Array(MAX_CONTROL_PAYLOAD).fill(2) },
    ]
    const collector = new Collector()
    scan(collector, encode(records), [5000, 66_000])
    expect(collector.events).toEqual(expected(records))
  })

  it('only ever throws a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        let thrown: unknown
        try {
          new Collector().scanner.scan(octets, 0, octets.length)
        } catch (error) {
          thrown = error
        }
        expect(thrown === undefined || thrown instanceof ProtocolError).toBe(true)
      }),
    )
  })

  it('allocates nothing for frames', () => {
    let octets = 0
    const scanner = new RecordScanner({
      onFrames: (_chunk, start, end) => {
        octets += end - start
      },
      onControl: () => {},
    })
    const stream = new Uint8Array(Buffer.concat([FRAME, FRAME, FRAME]))
    expect(
      bytesPerCall(() => {
        scanner.scan(stream, 0, 20)
        scanner.scan(stream, 20, stream.length)
      }),
    ).toBeLessThan(8)
    expect(octets).toBeGreaterThan(0)
  })
})
