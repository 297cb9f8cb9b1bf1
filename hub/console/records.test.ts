import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ConsoleRecord,
  LONGEST_BODY,
  parseHello,
  parseResize,
  RECORD_INPUT,
  RECORD_NOTICE,
  RecordReader,
  records,
  resizeRecord,
  sizeOf,
  textRecord,
} from '#hub/console/records.ts'

const allOf = (reader: RecordReader): ConsoleRecord[] => {
  const all: ConsoleRecord[] = []
  for (let next = reader.next(); next; next = reader.next()) all.push(next)
  return all
}

describe('records', () => {
  it('have type, length and body', () => {
    expect([...textRecord(RECORD_NOTICE, 'hé')]).toEqual([5, 0, 3, 0x68, 0xc3, 0xa9])
    expect([...resizeRecord({ columns: 300, rows: 24 })]).toEqual([3, 0, 4, 1, 44, 0, 24])
    expect([...records(RECORD_INPUT)]).toEqual([2, 0, 0])
  })

  it('are found again, however the stream is cut', () => {
    const record = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(fc.array(record, { maxLength: 10 }), fc.array(fc.nat(40)), (list, cuts) => {
        const reader = new RecordReader()
        let stream = Buffer.concat([
          Buffer.from('{"viewer":"ann","terminal":null,"typed":false}\n'),
          ...list.map(([type, body]) => records(type, body)),
        ])
        let hello
        const found: [number, number[]][] = []
        for (let i = 0; stream.length > 0; i++) {
          const cut = 1 + (cuts[i % (cuts.length || 1)] ?? 7)
          reader.push(stream.subarray(0, cut))
          stream = stream.subarray(cut)
          hello ??= reader.hello()
          if (hello)
            found.push(...allOf(reader).map(({ type, body }): [number, number[]] => [type, [...body]]))
        }
        expect(hello).toEqual({ viewer: 'ann', terminal: null, typed: false })
        expect(found).toEqual(list.map(([type, body]) => [type, [...body]]))
      }),
    )
  })

  it('are several when the body is longer than one may be', () => {
    const reader = new RecordReader()
    reader.push(records(RECORD_INPUT, new Uint8Array(LONGEST_BODY + 1)))
    expect(allOf(reader).map(({ body }) => body.length)).toEqual([LONGEST_BODY, 1])
  })

  it('of a length that may not be are refused, and first lines that never end', () => {
    const reader = new RecordReader()
    reader.push(Buffer.of(RECORD_INPUT, 0xff, 0xff))
    expect(() => reader.next()).toThrow(/longer than 16384/)
    const other = new RecordReader()
    other.push(Buffer.alloc(1025, 'x'))
    expect(() => other.hello()).toThrow(/longer than 1024/)
  })
})

describe('hello', () => {
  it('says who looks and at what size', () => {
    expect(parseHello('{"viewer":"ann","terminal":{"columns":80,"rows":24},"typed":true}')).toEqual({
      viewer: 'ann',
      terminal: { columns: 80, rows: 24 },
      typed: true,
    })
  })

  it.each([
    '',
    'x',
    '[]',
    '{}',
    '{"viewer":"","terminal":null,"typed":false}',
    '{"viewer":"a"}',
    '{"viewer":1,"terminal":null,"typed":false}',
  ])('is refused: %j', (line) => {
    expect(() => parseHello(line)).toThrow(/a viewer/)
  })
})

describe('sizes', () => {
  it('are what terminals have', () => {
    expect(parseResize(Buffer.of(0, 80, 0, 24))).toEqual({ columns: 80, rows: 24 })
    expect(parseResize(Buffer.of(0, 80, 0))).toBeUndefined()
    for (const wrong of [0, -1, 1.5, 4097, '80', undefined, NaN]) expect(sizeOf(wrong, 24)).toBeUndefined()
  })
})
