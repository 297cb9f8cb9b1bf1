import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { readKnownHosts, rememberKey } from '#agent/login/known-hosts-file.ts'
import {
  checkKey,
  fingerprint,
  formatEntry,
  hashName,
  hostName,
  knownKeyTypes,
  matchesNames,
  parseKnownHosts,
} from '#agent/login/known-hosts.ts'

let dir = ''
const keys: Record<string, Buffer> = {}
const key = (name: string): Buffer => keys[name] ?? Buffer.alloc(0)
const text = (name: string): string =>
  `${name.startsWith('rsa') ? 'ssh-rsa' : 'ssh-ed25519'} ${key(name).toString('base64')}`

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'known-hosts-'))
  for (const [name, type] of Object.entries({ one: 'ed25519', two: 'ed25519', rsa: 'rsa' })) {
    execFileSync('ssh-keygen', ['-q', '-N', '', '-t', type, '-f', join(dir, name)])
    const [, encoded] = readFileSync(join(dir, `${name}.pub`), 'utf8').split(' ')
    keys[name] = Buffer.from(encoded ?? '', 'base64')
  }
})
afterAll(() => rmSync(dir, { recursive: true }))

const finds = (file: string, name: string): boolean =>
  spawnSync('ssh-keygen', ['-F', name, '-f', file]).status === 0
const parse = (...lines: string[]) => parseKnownHosts(lines.join('\n'), 'kh')

describe('parseKnownHosts', () => {
  it('skips comments and blank lines, ignores certificate authorities, and keeps line numbers', () => {
    const known = parse('# c', '', `@cert-authority * ${text('one')}`, `\thub ${text('one')} a comment`)
    expect(known.problems).toEqual([])
    expect(known.entries).toMatchObject([{ line: 4, names: 'hub', keyType: 'ssh-ed25519', revoked: false }])
  })

  it('reports bad lines with file and line and goes on', () => {
    const known = parse(
      'hub',
      `@odd hub ${text('one')}`,
      `hub ssh-rsa ${key('one').toString('base64')}`,
      `|1|x hub ${text('one')}`,
      `hub ${text('two')}`,
    )
    expect(known.problems).toEqual([
      'kh:1: expected: names, key type, key',
      'kh:2: unknown marker @odd',
      'kh:3: the key is not of type ssh-rsa',
      'kh:4: malformed hashed name',
    ])
    expect(known.entries).toHaveLength(1)
  })

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (any) => {
        const known = parseKnownHosts(any, 'kh')
        expect(known.entries.length + known.problems.length).toBeLessThanOrEqual(any.split('\n').length)
      }),
    )
  })
})

describe('checkKey', () => {
  it('tells match, unknown, changed and revoked apart', () => {
    const known = parse(`hub,10.0.0.1 ${text('one')}`, `@revoked * ${text('rsa')}`)
    expect(checkKey(known, 'HUB', 22, key('one')).kind).toBe('match')
    expect(checkKey(known, '10.0.0.1', 22, key('one')).kind).toBe('match')
    expect(checkKey(known, 'other', 22, key('one')).kind).toBe('unknown')
    expect(checkKey(known, 'hub', 22, key('two'))).toMatchObject({
      kind: 'changed',
      entry: { file: 'kh', line: 1 },
    })
    expect(checkKey(known, 'hub', 22, key('rsa')).kind).toBe('revoked')
  })

  it('is revoked even where another line accepts the key', () => {
    expect(
      checkKey(parse(`hub ${text('one')}`, `@revoked hub ${text('one')}`), 'hub', 22, key('one')).kind,
    ).toBe('revoked')
  })

  it('matches any of several keys of one host', () => {
    expect(checkKey(parse(`hub ${text('one')}`, `hub ${text('two')}`), 'hub', 22, key('two')).kind).toBe(
      'match',
    )
  })

  it('keeps ports apart, and falls back to the name without a port only for the same key', () => {
    const known = parse(`[hub]:2222 ${text('one')}`, `site ${text('two')}`)
    expect(checkKey(known, 'hub', 2222, key('one')).kind).toBe('match')
    expect(checkKey(known, 'hub', 2223, key('one')).kind).toBe('unknown')
    expect(checkKey(known, 'hub', 22, key('one')).kind).toBe('unknown')
    expect(checkKey(known, 'site', 2222, key('two')).kind).toBe('match')
    expect(checkKey(known, 'site', 2222, key('one')).kind).toBe('unknown')
  })
})

describe('matchesNames', () => {
  it.each([
    ['*.example', 'hub.example', true],
    ['*.example,!hub.example', 'hub.example', false],
    ['!hub.example', 'other', false],
    ['h?b', 'hub', true],
    ['h?b', 'hb', false],
    ['[*]:2222', '[hub]:2222', true],
    ['HUB', 'hub', true],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'axxbyyd', false],
  ])('%s against %s: %s', (names, name, expected) => {
    expect(matchesNames(names, name)).toBe(expected)
  })

  it('is not slow on a hostile pattern', () => {
    const began = performance.now()
    expect(matchesNames(`${'*a'.repeat(200)}*b`, 'a'.repeat(2000))).toBe(false)
    expect(performance.now() - began).toBeLessThan(1000)
  })
})

describe('against ssh-keygen', () => {
  it('finds what ssh-keygen -F finds, plain and hashed, and prints its fingerprints', () => {
    const file = join(dir, 'kh')
    writeFileSync(
      file,
      `hub,10.0.0.1 ${text('one')}\n[hub]:2222 ${text('two')}\n*.lab,!dead.lab ${text('rsa')}\n`,
    )
    const names = ['hub', '10.0.0.1', '[hub]:2222', '[hub]:2223', 'a.lab', 'dead.lab', 'lab']
    const ours = () =>
      names.map((name) => readKnownHosts([file]).entries.some((e) => matchesNames(e.names, name)))
    expect(ours()).toEqual(names.map((name) => finds(file, name)))
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
    expect(readFileSync(file, 'utf8')).toContain('|1|')
    expect(ours()).toEqual(names.map((name) => finds(file, name)))
    expect(execFileSync('ssh-keygen', ['-l', '-f', join(dir, 'one.pub')], { encoding: 'utf8' })).toContain(
      fingerprint(key('one')),
    )
  })

  it('writes entries that ssh-keygen finds, hashed like the rest of the file, private to the user', () => {
    mkdirSync(join(dir, 'home'))
    const file = join(dir, 'home/.ssh/known_hosts')
    rememberKey(file, 'hub', 2222, key('one'))
    expect(readFileSync(file, 'utf8')).toBe(`[hub]:2222 ${text('one')}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(dir, 'home/.ssh')).mode & 0o777).toBe(0o700)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
    rememberKey(file, 'fe80::1', 22, key('two'))
    expect(readFileSync(file, 'utf8')).not.toContain('fe80')
    expect([finds(file, '[hub]:2222'), finds(file, 'fe80::1')]).toEqual([true, true])
    expect(checkKey(readKnownHosts([file]), 'fe80::1', 22, key('two')).kind).toBe('match')
    execFileSync('ssh-keygen', ['-q', '-R', 'fe80::1', '-f', file], { stdio: 'ignore' })
    expect(checkKey(readKnownHosts([file]), 'fe80::1', 22, key('two')).kind).toBe('unknown')
  })

  it('does not run into a last line without newline', () => {
    const file = join(dir, 'open')
    writeFileSync(file, `hub ${text('one')}`)
    rememberKey(file, 'site', 22, key('two'))
    expect(readKnownHosts([file])).toMatchObject({
      problems: [],
      entries: [{ names: 'hub' }, { names: 'site' }],
    })
  })

  it('takes a folder for a file as an error that names it', () => {
    expect(() => readKnownHosts([dir])).toThrow(`cannot read ${dir}`)
  })
})

it('asks for the key types that are known, of the exact name first', () => {
  const known = parse(`[hub]:2222 ${text('rsa')}`, `hub ${text('one')}`)
  expect(knownKeyTypes(known, 'hub', 2222)).toEqual(['ssh-rsa'])
  expect(knownKeyTypes(known, 'hub', 2223)).toEqual(['ssh-ed25519'])
  expect(knownKeyTypes(known, 'site', 22)).toEqual([])
})

it('reads what it formats, for any name', () => {
  fc.assert(
    fc.property(fc.domain(), fc.integer({ min: 1, max: 65535 }), fc.boolean(), (host, port, hashed) => {
      const known = parseKnownHosts(formatEntry(host, port, key('one'), hashed), 'kh')
      expect(checkKey(known, host, port, key('one')).kind).toBe('match')
      expect(matchesNames(hashName(hostName(host, port)), hostName(host, port))).toBe(true)
    }),
  )
})
