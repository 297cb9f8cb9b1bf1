import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommand } from '#hub/gateway/commands.ts'

describe('parseCommand', () => {
  it.each([
    ['hybridge bridge private0', { kind: 'bridge', bridge: 'private0' }],
    ['  hybridge   bridge\tlab/private0 ', { kind: 'bridge', bridge: 'lab/private0' }],
    ['hybridge list', { kind: 'list', json: false }],
    ['hybridge list --json', { kind: 'list', json: true }],
    ['vde_plug private0', { kind: 'plug', bridge: 'private0' }],
  ])('knows %j', (text, command) => {
    expect(parseCommand(text)).toEqual(command)
  })

  it.each([
    '',
    ' ',
    'hybridge',
    'hybridge bridge',
    'hybridge bridge a b',
    'hybridge list --yaml',
    'hybridge list --json --json',
    'hybridge show ports',
    'vde_plug',
    'vde_plug a b',
    'vde_plug2tap a',
    'Hybridge list',
    '/bin/hybridge list',
    'sh -c "hybridge list"',
    'hybridge list; id',
    'constructor',
  ])('does not know %j', (text) => {
    expect(parseCommand(text)).toBeUndefined()
  })

  it('takes a name of a bridge to be what it is, without quotes or spaces', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = text.trim()
        const isName = name !== '' && !/\s/.test(name)
        expect(parseCommand(`hybridge bridge ${text}`)).toEqual(
          isName ? { kind: 'bridge', bridge: name } : undefined,
        )
      }),
    )
  })
})
