import { describe, expect, it } from 'vitest'
import { paint } from '#net/view/paint.ts'
import { settleTerminal } from '#net/view/terminal.ts'
import { span } from '#net/view/text.ts'

const tty = { input: { isTTY: true }, output: { isTTY: true } }

describe('settleTerminal', () => {
  it.each([
    [
      { TERM: 'xterm-256color', LANG: 'C.UTF-8' },
      { colours: 256, isUtf8: true },
    ],
    [
      { TERM: 'screen-256color', LANG: 'en_GB.utf8' },
      { colours: 256, isUtf8: true },
    ],
    [
      { TERM: 'xterm', LC_ALL: 'C', LANG: 'C.UTF-8' },
      { colours: 8, isUtf8: false },
    ],
    [
      { TERM: 'xterm', COLORTERM: 'truecolor' },
      { colours: 256, isUtf8: false },
    ],
    [
      { TERM: 'linux', LANG: 'C.UTF-8' },
      { colours: 8, isUtf8: false },
    ],
    [
      { TERM: 'vt100', LANG: 'C.UTF-8' },
      { colours: 0, isUtf8: false },
    ],
    [
      { TERM: 'xterm-256color', NO_COLOR: '1' },
      { colours: 0, isUtf8: false },
    ],
    [
      { TERM: 'xterm-256color', NO_COLOR: '' },
      { colours: 256, isUtf8: false },
    ],
  ] as const)('%j: %j', (env, wanted) => {
    expect(settleTerminal(tty, env)).toEqual(wanted)
  })

  it('refuses what cannot show it', () => {
    expect(() => settleTerminal(tty, { TERM: 'dumb' })).toThrow('TERM is dumb; set TERM')
    expect(() => settleTerminal(tty, {})).toThrow('TERM is not set')
    const pipe = { ...tty, output: { isTTY: false } }
    expect(() => settleTerminal(pipe, { TERM: 'xterm' })).toThrow(
      'needs a terminal as standard input and output',
    )
  })
})

describe('paint', () => {
  const row = [span('plain '), span('DOWN', 'bad'), span(' ▶', 'selected')]

  it('has colours as far as the terminal has them', () => {
    expect(paint(row, { colours: 256, isUtf8: true })).toBe(
      'plain \u001b[38;5;214mDOWN\u001b[m\u001b[7m ▶\u001b[m',
    )
  })

  it('without colours is bold and reversed, without UTF-8 ASCII', () => {
    expect(paint(row, { colours: 0, isUtf8: false })).toBe('plain \u001b[1mDOWN\u001b[m\u001b[7m ?\u001b[m')
  })
})
