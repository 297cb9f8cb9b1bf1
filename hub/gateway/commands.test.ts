import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommand } from '#hub/gateway/commands.ts'

describe('parseCommand', () => {
  it.each([
    ['hybridge bridge private0', { kind: 'bridge', bridge: 'private0' }],
    ['  hybridge   bridge\tlab/private0 ', { kind: 'bridge', bridge: 'lab/private0' }],
    ['hybridge find private0', { kind: 'find', bridge: 'private0' }],
    ['hybridge list', { kind: 'list', json: false }],
    ['hybridge list --json', { kind: 'list', json: true }],
    ['hybridge ports private0', { kind: 'ports', bridge: 'private0', json: false }],
    ['hybridge ports private0 --json', { kind: 'ports', bridge: 'private0', json: true }],
    ['hybridge ports --json private0', { kind: 'ports', bridge: 'private0', json: true }],
    ['capture private0', { kind: 'capture', words: { bridge: 'private0', drops: false } }],
    [
      'hybridge capture private0 3 -w -',
      { kind: 'capture', words: { bridge: 'private0', port: '3', drops: false } },
    ],
    [
      'capture private0 --filter "tcp port 80" --drops 3 -c 10 --snaplen=64',
      {
        kind: 'capture',
        words: { bridge: 'private0', port: '3', filter: 'tcp port 80', drops: true, count: '10', snap: '64' },
      },
    ],
    ['vde_plug private0', { kind: 'plug', bridge: 'private0' }],
    ['console h1', { kind: 'console', device: 'h1' }],
    ['hybridge console two-lans/h1', { kind: 'console', device: 'two-lans/h1' }],
    ['devices', { kind: 'devices', json: false }],
    ['hybridge devices --json', { kind: 'devices', json: true }],
    ['hybridge measure up', { kind: 'measure', direction: 'up', ms: 0 }],
    ['hybridge measure down 3000', { kind: 'measure', direction: 'down', ms: 3000 }],
  ])('knows %j', (text, command) => {
    expect(parseCommand(text)).toEqual(command)
  })

  it.each([
    '',
    ' ',
    'hybridge',
    'hybridge bridge',
    'hybridge bridge a b',
    'hybridge find',
    'hybridge find a b',
    'hybridge list --yaml',
    'hybridge list --json --json',
    'hybridge show ports',
    'hybridge ports',
    'hybridge ports --json',
    'hybridge ports a b',
    'hybridge ports a --yaml',
    'hybridge ports a --json --json',
    'console',
    'console a b',
    'devices all',
    'devices --json --json',
    'vde_plug',
    'vde_plug a b',
    'hybridge measure',
    'hybridge measure up 3000',
    'hybridge measure down',
    'hybridge measure down -1',
    'hybridge measure down 1 2',
    'vde_plug2tap a',
    'Hybridge list',
    '/bin/hybridge list',
    'sh -c "hybridge list"',
    'hybridge list; id',
    'constructor',
  ])('does not know %j', (text) => {
    expect(parseCommand(text)).toBeUndefined()
  })

  it.each([
    ['capture', /there is: capture BRIDGE/],
    ['capture a b c', /there is: capture BRIDGE/],
    ['capture a --colour', /unknown option --colour/],
    ['capture a -c', /count has no value/],
    ['capture a -c --drops', /count has no value/],
    ['capture a -c 1 --count 2', /--count is given twice/],
    ['capture a -w /tmp/x', /standard output/],
  ])('refuses %j and says why', (text, why) => {
    expect(() => parseCommand(text)).toThrow(why)
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
