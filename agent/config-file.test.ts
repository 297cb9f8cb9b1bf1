import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { configPaths, parseConfigFile, parseRing, readConfigFile } from '#agent/config-file.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

describe('configPaths', () => {
  it('follows XDG_CONFIG_HOME when it is absolute', () => {
    const system = '/etc/hybridge/hconnect.yaml'
    expect(configPaths({ XDG_CONFIG_HOME: '/x' }, '/home/ann')).toEqual(['/x/hybridge/hconnect.yaml', system])
    expect(configPaths({ XDG_CONFIG_HOME: 'x' }, '/home/ann')).toEqual([
      '/home/ann/.config/hybridge/hconnect.yaml',
      system,
    ])
  })
})

describe('a password in the file', () => {
  it('is refused where others can read it', () => {
    const file = join(dir, 'secret.yaml')
    writeFileSync(file, 'proxy: http://ann:secret@proxy:3128\n', { mode: 0o644 })
    expect(() => readConfigFile([file])).toThrow(`others can read it: chmod 600 ${file}`)
    chmodSync(file, 0o600)
    expect(readConfigFile([file])).toMatchObject({ proxy: 'http://ann:secret@proxy:3128' })
    writeFileSync(file, 'proxy: http://ann@proxy:3128\n')
    chmodSync(file, 0o644)
    expect(readConfigFile([file])).toMatchObject({ proxy: 'http://ann@proxy:3128' })
  })
})

describe('readConfigFile', () => {
  it('reads the first file that exists, and needs none', () => {
    const file = join(dir, 'hconnect.yaml')
    writeFileSync(file, 'hub: hub.example\nnic: eth2\n')
    expect(readConfigFile([join(dir, 'none'), file])).toEqual({ hub: 'hub.example', nic: 'eth2' })
    expect(readConfigFile([join(dir, 'none')])).toEqual({})
    expect(() => readConfigFile([dir])).toThrow(`cannot read ${dir}`)
  })
})

describe('parseConfigFile', () => {
  it.each([
    ['nic: eth1\nhubb: x\n', 'c.yaml:2:1: hubb: there is no such setting'],
    ['user: ann\nnic: 7\n', 'c.yaml:2:1: nic: '],
    ['nic: [\n', 'c.yaml:2:1: '],
    ['- nic\n', 'c.yaml:1:1: the file: '],
    ['nic: a\nnic: b\n', 'c.yaml:2:1: '],
  ])('%j', (text, message) => {
    expect(() => parseConfigFile(text, 'c.yaml')).toThrow(message)
  })

  it('takes a map as a mapping and as a list', () => {
    const map = ['10=private0', 'untagged=private1']
    expect(parseConfigFile('map:\n  10: private0\n  untagged: private1\n', 'c.yaml')).toEqual({ map })
    expect(parseConfigFile('map: [10=private0, untagged=private1]\n', 'c.yaml')).toEqual({ map })
    expect(() => parseConfigFile('map:\n  10: 7\n', 'c.yaml')).toThrow('c.yaml:1:1: map: ')
  })

  it('takes an empty file', () => {
    expect(parseConfigFile('# nothing\n', 'c.yaml')).toEqual({})
  })
})

const parse = (text: string) => parseConfigFile(text, 'c.yaml')

describe('links', () => {
  it('have what stands at the top where they say nothing, in a list or by name', () => {
    const top = 'hub: h\nuser: ann\nbridge: private0\nmtu: 1600\n'
    const links = [
      { name: 'eth1', nic: 'eth1', hub: 'h', user: 'ann', bridge: 'private0', mtu: 1600 },
      { name: 'lab2', nic: 'eth2', hub: 'h', user: 'bob', bridge: 'private0', mtu: 1600 },
    ]
    expect(parse(`${top}links:\n  - nic: eth1\n  - { name: lab2, nic: eth2, user: bob }\n`).links).toEqual(
      links,
    )
    const named = parse(`${top}links:\n  eth1: { nic: eth1 }\n  lab2: { nic: eth2, user: bob }\n`)
    expect(named.links).toEqual(links)
  })

  it('join other bridges than those at the top', () => {
    const [link] = parse('hub: h\nbridge: a\nlinks: [{ nic: e, map: { 10: b } }]').links ?? []
    expect([link?.bridge, link?.map]).toEqual([undefined, ['10=b']])
  })

  it.each([
    [
      'links:\n  - nic: eth1\n    huub: x\n',
      'c.yaml:3:5: links.0.huub: there is no such setting; did you mean hub?',
    ],
    ['links:\n  lab:\n    mtu: 7\n', 'c.yaml:3:5: links.lab.mtu: '],
    ['links:\n  lab:\n    nic: eth1\n', 'c.yaml:2:3: links.lab: hub is missing'],
    ['links:\n  lab: { nic: a, hub: h }\n', 'c.yaml:2:3: links.lab: bridge or map is missing'],
    [
      'hub: h\nbridge: b\nlinks: [{ nic: a }, { nic: a, name: x }]\n',
      'c.yaml:3:21: links.1: another link bridges a',
    ],
    [
      'hub: h\nbridge: b\nlinks: [{ nic: a, name: x }, { nic: b, name: x }]\n',
      'c.yaml:3:30: links.1: another link is called x',
    ],
    ['links:\n  "a b": { nic: a }\n', 'c.yaml:2:3: links.a b: '],
    ['links: 7\n', 'c.yaml:1:1: links: '],
    ['capture-ring: 7\n', 'c.yaml:1:1: capture-ring: expected 1M to 512M, not "7"'],
    ['connections: 9\n', 'c.yaml:1:1: connections: expected 1 to 8, or auto'],
    ['driver: both\n', 'c.yaml:1:1: driver: '],
    ['__proto__: 1\n', 'c.yaml:1:1: __proto__: there is no such setting; there are: nic, '],
  ])('%j', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  it('are told every fault, a line each', () => {
    expect(() => parse('hubb: h\nmtu: x\n')).toThrow(/^c\.yaml:2:1: mtu: .*\nc\.yaml:1:1: hubb: .*$/)
  })

  it('take sizes of rings with units', () => {
    expect(['64M', '1g', '1048576', '512M'].map((text) => attempt(() => parseRing(text)))).toEqual([
      64 << 20,
      undefined,
      1 << 20,
      512 << 20,
    ])
  })
})

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
