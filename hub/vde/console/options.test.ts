import { describe, expect, it } from 'vitest'
import { mergeConfig, parseConfigFile } from '#hub/config.ts'

const mgmtOf = (...bridge: string[]): unknown[] =>
  mergeConfig({ bridge }, undefined, '/d').bridges.map(({ mgmt }) => mgmt)

describe('mgmt', () => {
  it('is in the data directory, or where it is told to be', () => {
    expect(mgmtOf('a', 'b,mgmt', 'c,mgmt=/run/c,mgmtmode=0660,ageing=60')).toEqual([
      undefined,
      { path: '/d/vde/b.mgmt', mode: 0o600 },
      { path: '/run/c', mode: 0o660 },
    ])
    const file = parseConfigFile("bridges: ['a,mgmt', 'b,mgmt=/run/b']\ndata: lab", '/etc/hub.yaml')
    expect(mergeConfig({}, file, '/d').bridges.map(({ mgmt }) => mgmt?.path)).toEqual([
      '/etc/lab/vde/a.mgmt',
      '/run/b',
    ])
  })

  it.each([
    ['a,mgmt=run/a', "bridge a: name the console's socket from / on, as mgmt=/run/a.mgmt"],
    ['a,mgmtmode=600', 'bridge a: mgmtmode says nothing without mgmt'],
    ['a,mgmt,mgmtmode=8', 'bridge a: mgmtmode is three octal digits, as 660, not "8"'],
    ['a,mgmt,mgmtmode', '"a,mgmt,mgmtmode": mgmtmode needs a value'],
    ['a,mgmt,mgmt', '"a,mgmt,mgmt": mgmt is given twice'],
    [
      `a,mgmt=/${'x'.repeat(107)}`,
      `bridge a: the console's socket /${'x'.repeat(107)} has 108 octets, 107 at most (name a shorter one with mgmt=PATH)`,
    ],
  ])('is refused: %s', (bridge, why) => {
    expect(() => mgmtOf(bridge)).toThrow(why)
  })

  it('is of one bridge', () => {
    expect(() => mgmtOf('a,mgmt=/run/m', 'b,mgmt=/run/m')).toThrow('/run/m is given twice, to a and to b')
  })
})
