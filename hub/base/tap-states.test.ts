import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatTapStates, LONGEST_TAPS_LINE, parseTapStates } from '#hub/base/tap-states.ts'

const state = fc.record({
  name: fc.string({ minLength: 1, maxLength: 15 }),
  up: fc.boolean(),
  mtu: fc.integer({ min: 0, max: 65_535 }),
})

it('what is written is read again, and fits a line', () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 64 }), (states) => {
      const line = formatTapStates(states)
      expect(line.length).toBeLessThan(LONGEST_TAPS_LINE)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(parseTapStates(line)).toEqual(states)
    }),
  )
})

it('the longest fits', () => {
  const states = Array.from({ length: 64 }, () => ({ name: '\u0001'.repeat(15), up: false, mtu: 65_535 }))
  expect(formatTapStates(states).length).toBeLessThan(LONGEST_TAPS_LINE)
})

it.each([
  ['no JSON', 'em0'],
  ['no list', '{}'],
  ['no name', '[{"up":true,"mtu":1500}]'],
  ['a long name', '[{"name":"0123456789abcdef","up":true,"mtu":1500}]'],
  ['a negative MTU', '[{"name":"em0","up":true,"mtu":-1}]'],
  ['an MTU that is no number', '[{"name":"em0","up":true,"mtu":"1500"}]'],
  ['an MTU beyond all', '[{"name":"em0","up":true,"mtu":65536}]'],
  ['no state', '[{"name":"em0","mtu":1500}]'],
  ['too many', JSON.stringify(Array.from({ length: 65 }, () => ({ name: 'em0', up: true, mtu: 1500 })))],
])('refuses %s', (_, line) => {
  expect(() => parseTapStates(line)).toThrow('makes no sense')
})
