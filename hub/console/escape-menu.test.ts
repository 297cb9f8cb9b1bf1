import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { EscapeMenu } from '#hub/console/escape-menu.ts'

/** Input as text, the rest as its kind in brackets. */
const read = (menu: EscapeMenu, typed: Uint8Array): string =>
  [...menu.read(typed)]
    .map((one) => (one.kind === 'input' ? Buffer.from(one.octets).toString('latin1') : `<${one.kind}>`))
    .join('')

it.each([
  ['ls\r', 'ls\r'],
  ['ls\x1dq', 'ls<menu><quit>'],
  ['\x1dt\x1dTx', '<menu><take-over><menu><take-over>x'],
  ['\x1d?\x1dQ', '<menu><help><menu><quit>'],
  ['a\x1d\x1db', 'a<menu>\x1db'],
  ['\x1d\x1d\x1dq', '<menu>\x1d<menu><quit>'],
  ['\x1d\x1b[A', '<menu>\x1b[A'],
  ['tq?', 'tq?'],
  ['\x1dxq', '<menu>xq'],
])('%j means %j', (typed, meant) => {
  expect(read(new EscapeMenu(), Buffer.from(typed, 'latin1'))).toBe(meant)
})

it('opens when it is told to', () => {
  const menu = new EscapeMenu()
  expect(menu.open()).toEqual({ kind: 'menu' })
  expect(read(menu, Buffer.from('qx'))).toBe('<quit>x')
})

it('means the same however it comes in pieces', () => {
  const octet = fc.oneof(
    fc.constant(0x1d),
    fc.constantFrom(...Buffer.from('tq?x')),
    fc.integer({ max: 255, min: 0 }),
  )
  fc.assert(
    fc.property(fc.array(octet), (typed) => {
      const menu = new EscapeMenu()
      const piecewise = typed.map((one) => read(menu, Buffer.of(one))).join('')
      expect(read(new EscapeMenu(), Buffer.from(typed))).toBe(piecewise)
    }),
  )
})
