import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UNITS, clock, count, duration, milliseconds, rate, scaled, unitsName } from '#net/view/quantity.ts'

const [BITS, OCTETS, KIBIBITS] = UNITS

describe('scaled', () => {
  it.each([
    [0, '0  '],
    [0.25, '0.3  '],
    [9.96, '10  '],
    [518, '518  '],
    [999.4, '999  '],
    [999.6, '1.00 k'],
    [1234, '1.23 k'],
    [12_345, '12.3 k'],
    [999_499, '999 k'],
    [999_600, '1.00 M'],
    [98_765_432_100, '98.8 G'],
  ])('%d in thousands: %j', (value, wanted) => {
    expect(scaled(value, 1000)).toBe(wanted)
  })

  it.each([
    [1023, '1023   '],
    [1024, '1.00 Ki'],
    [1_048_576, '1.00 Mi'],
  ])('%d in 1024s: %j', (value, wanted) => {
    expect(scaled(value, 1024)).toBe(wanted)
  })

  it('is never wider than its column', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e26, noNaN: true }), (value) => {
        expect(scaled(value, 1000).length).toBeLessThanOrEqual(6)
        expect(scaled(value, 1024).length).toBeLessThanOrEqual(7)
      }),
    )
  })
})

describe('other quantities', () => {
  it('rates follow the units', () => {
    expect(UNITS.map((units) => rate(1_000_000, units))).toEqual(['8.00 M', '1.00 M', '7.63 Mi', '977 Ki'])
    expect([BITS, OCTETS, KIBIBITS].map((units) => units && unitsName(units))).toEqual([
      'bit/s, prefixes of 1000',
      'byte/s, prefixes of 1000',
      'bit/s, prefixes of 1024',
    ])
  })

  it('counts are told to the last digit as long as they fit', () => {
    expect([count(1_234_567, 7), count(12_345_678, 7)]).toEqual(['1234567', '12.3 M'])
  })

  it('times are told as people do', () => {
    expect([duration(0), duration(3_723_999), duration(273_723_000)]).toEqual([
      '00:00:00',
      '01:02:03',
      '3d 04:02:03',
    ])
    const now = new Date(2026, 10, 27, 12, 3, 4).getTime()
    expect([clock(now, now), clock(now - 86_400_000, now)]).toEqual(['12:03:04', '2026-11-26 12:03:04'])
    expect([0.421, 12.34, 1234.5].map(milliseconds)).toEqual(['0.42 ms', '12.3 ms', '1235 ms'])
  })
})
