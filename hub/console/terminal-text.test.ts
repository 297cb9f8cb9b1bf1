import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { noticeOn, withoutQueries } from '#hub/console/terminal-text.ts'

const cleaned = (text: string): string => withoutQueries(Buffer.from(text)).toString()

it.each([
  ['ENQ', '\x05'],
  ['DECID', '\x1bZ'],
  ['primary DA', '\x1b[c'],
  ['primary DA with 0', '\x1b[0c'],
  ['secondary DA', '\x1b[>c'],
  ['tertiary DA', '\x1b[=0c'],
  ['DSR of the cursor', '\x1b[6n'],
  ['DSR, DEC', '\x1b[?6n'],
  ['XTVERSION', '\x1b[>0q'],
  ['DECREQTPARM', '\x1b[0x'],
  ['size of the window', '\x1b[18t'],
  ['DECRQM', '\x1b[?2026$p'],
  ['keyboard', '\x1b[?u'],
  ['background, BEL', '\x1b]11;?\x07'],
  ['a colour, ST', '\x1b]4;1;?\x1b\\'],
  ['DECRQSS', '\x1bP$qm\x1b\\'],
  ['XTGETTCAP', '\x1bP+q544e\x1b\\'],
])('asks nothing again: %s', (_name, query) => {
  expect(cleaned(`grün ${query}x`)).toBe('grün x')
})

it('leaves the rest', () => {
  const text = '\x1b[1;31mrot\x1b[0m \x1b[2J\x1b[10;20H\x1b]0;title\x07\x1b[?1049h ü\r\n\x1b[>4;1m 6n c'
  expect(cleaned(text)).toBe(text)
})

it('leaves octets that are no text as they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      const plain = Buffer.from(octets.filter((octet) => octet !== 0x1b && octet !== 5))
      expect(withoutQueries(plain).equals(plain)).toBe(true)
    }),
  )
})

it('says what the hub has to say on lines of their own', () => {
  expect(noticeOn('one\ntwo').toString()).toBe('\r\n[one\r\n two]\r\n')
})
