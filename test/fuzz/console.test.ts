/** Whatever is typed at a management console, it answers, and the bridge stays what a bridge may be. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatPortMode, parsePortMode } from '#net/switch/port-mode.ts'
import { BRIDGE_SETTINGS, PORT_SETTINGS } from '#hub/fabric/settings.ts'
import { COMMANDS } from '#hub/vde/console/commands.ts'
import { LineSplitter, TOO_LONG } from '#hub/vde/console/line-splitter.ts'
import { PROMPT } from '#hub/vde/console/session.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { ConsoleLab } from '#test/support/console-lab.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const SETTINGS = [...Object.keys(PORT_SETTINGS), ...Object.keys(BRIDGE_SETTINGS)]

const word = fc.oneof(
  fc.integer({ min: -2, max: 6 }).map(String),
  fc.constantFrom('10', '20', '4094', '4095', '1024', '1025', '0x5', '010', 'NONE', 'ann', 'port', 'hash/+'),
  fc.constantFrom(
    '02:00:00:00:00:01',
    'mode=access,vlan=10',
    'mode=tunnel,qnq=10',
    'mode=trunk',
    'ageing=50',
  ),
  fc.constantFrom('rstp=on', 'rstp=off', 'priority=4096', 'edge=yes', 'cost=5', 'loop-protection=off'),
  fc
    .tuple(fc.constantFrom(...SETTINGS), fc.constantFrom('on', 'off', '1', '10', 'x'))
    .map((pair) => pair.join('=')),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const line = fc
  .oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...COMMANDS.keys()), fc.array(word, { maxLength: 4 })) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(word, { maxLength: 2 })),
    },
  )
  .map(([command, words]) => [command, ...words].join(' '))

const OVER = /^9999 END OF SESSION$/
/** Data or none, a status or none, events, the prompt. */
const ANSWER =
  /^(?:0000 DATA END WITH '\.'\n(?:[^\n]*\n)*?\.\n1\d{3} [^\n]+\n|1\d{3} [^\n]+\n)?(?:3\d{3} [^\n]+\n)*\nvde\$ $/

it(
  'every line has an answer of its form, and no state is made that may not be',
  () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
        const lab = new ConsoleLab()
        lab.plug(1)
        lab.plugVde(2, { id: 7, uid: 0, description: '.\n1000 Success' })
        for (const [i, text] of lines.entries()) {
          lab.now = i
          const answer = [...lab.session.answer(text.replaceAll('\n', ' '), i)].join('')
          expect(answer).toMatch(lab.session.isOver ? OVER : ANSWER)
          lab.session.isOver = false
          lab.ports.get(1)?.inject(frameOf(BROADCAST, host(i % 5), i % 2 === 0 ? '' : '8100.10'))
          lab.ports.get(2)?.inject(frameOf(host(i % 5), host(9), '8100.20'))
        }
        const { switch: bridge } = lab.bridge
        expect(bridge.entry(1)).not.toBeNull()
        const vids = lab.console.vlans.list()
        expect(vids[0]).toBe(0)
        for (const { number, mode } of bridge.portList) {
          expect(number >= 1 && number <= 1024).toBe(true)
          expect(parsePortMode(formatPortMode(mode))).toEqual(mode)
        }
        expect(bridge.table.ageingMs).toBeGreaterThanOrEqual(10_000)
        for (const { port } of bridge.addresses()) expect(bridge.entry(port)).not.toBeNull()
        lab.close()
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)

it(
  'octets of any kind become lines that have answers',
  () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constant(Buffer.alloc(1500, 'x')),
      line.map((text) => Buffer.from(`${text}\n`)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const lab = new ConsoleLab()
        const splitter = new LineSplitter()
        const answerAll = (): void => {
          for (let next = splitter.next(); next !== undefined; next = splitter.next()) {
            if (next === TOO_LONG) continue
            const answer = [...lab.session.answer(next, 0)].join('')
            expect(answer.endsWith(lab.session.isOver ? '9999 END OF SESSION' : PROMPT)).toBe(true)
          }
        }
        for (const octets of pieces) {
          splitter.push(Buffer.from(octets))
          answerAll()
        }
        splitter.finish()
        answerAll()
        lab.close()
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
