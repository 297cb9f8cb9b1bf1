import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { configPaths, parseConfigFile, readConfigFile } from '#agent/config-file.ts'

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
