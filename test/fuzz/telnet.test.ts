/** Whatever a telnet client sends, little is answered and little is kept, and what is shown stays telnet. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { EscapeMenu } from '#hub/console/escape-menu.ts'
import { TelnetCodec } from '#hub/console/telnet/codec.ts'
import { withoutQueries } from '#hub/console/terminal-text.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const IAC = 255
const octets = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(IAC, 236, 240, 243, 246, 250, 251, 252, 253, 254) },
    { weight: 2, arbitrary: fc.constantFrom(0, 1, 3, 24, 31, 0x0a, 0x0d, 0x1b, 0x1d) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  ),
  { maxLength: 300 },
)

it(
  'a client sends what it likes',
  () => {
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 8 }), (pieces) => {
        const menu = new EscapeMenu()
        let typed = 0
        let answered = 0
        const codec = new TelnetCodec({
          send: (answer) => {
            expect(answer.length).toBeLessThanOrEqual(21)
            answered += answer.length
          },
          typed: (text) => {
            typed += text.length
            expect([...menu.read(text)].length).toBeLessThanOrEqual(text.length)
          },
          resized: (columns, rows) => {
            expect(columns).toBeLessThan(65_536)
            expect(rows).toBeLessThan(65_536)
          },
          attention: () => void menu.open(),
        })
        codec.begin()
        const asked = answered
        for (const piece of pieces) codec.receive(Uint8Array.from(piece))
        const sent = pieces.reduce((sum, piece) => sum + piece.length, 0)
        expect(typed).toBeLessThanOrEqual(sent)
        // ARE YOU THERE has 9 octets for 2; the name of the terminal is asked for with 9 for 3.
        expect(answered - asked).toBeLessThanOrEqual(sent * 4.5)
        expect((codec.terminalType ?? '').length).toBeLessThan(64)
        for (const piece of pieces) {
          const encoded = codec.encode(Uint8Array.from(piece)).toString('latin1')
          expect(encoded.replaceAll('\xff\xff', '')).not.toContain('\xff')
          expect(withoutQueries(Buffer.from(piece)).length).toBeLessThanOrEqual(piece.length)
        }
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
