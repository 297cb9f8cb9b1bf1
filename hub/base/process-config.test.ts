import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTimeOf } from '#net/base/start-time.ts'
import { identityOf, readProcessConfig, writeProcessConfig } from '#hub/base/process-config.ts'

let directory: string
const before = process.cwd()
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-config-'))
  mkdirSync(join(directory, 'run'))
  process.chdir(directory)
})
afterEach(() => {
  process.chdir(before)
  rmSync(directory, { recursive: true })
})

describe('writeProcessConfig', () => {
  it('writes what readProcessConfig reads, for its owner alone', () => {
    const config = { bridges: [{ name: 'private0' }], attach: [], port: 2222 }
    const fingerprint = writeProcessConfig('fabric', config, undefined)
    expect(readProcessConfig('fabric')).toEqual({ text: JSON.stringify(config), fingerprint })
    expect(statSync('run/fabric.json').mode & 0o777).toBe(0o600)
    expect(readdirSync('run')).toEqual(['fabric.json'])
  })

  it('gives each content a fingerprint of its own, the same every time', () => {
    const one = writeProcessConfig('gateway-1', { port: 1 }, undefined)
    const two = writeProcessConfig('gateway-1', { port: 2 }, undefined)
    expect(two).not.toBe(one)
    expect(writeProcessConfig('gateway-2', { port: 1 }, undefined)).toBe(one)
  })

  it('replaces a file that others could read', () => {
    writeProcessConfig('fabric', { old: true }, undefined)
    const { ino } = statSync('run/fabric.json')
    writeProcessConfig('fabric', { old: false }, undefined)
    expect(statSync('run/fabric.json').ino).not.toBe(ino)
    expect(JSON.parse(readFileSync('run/fabric.json', 'utf8'))).toEqual({ old: false })
  })
})

describe('identityOf', () => {
  it('names this process and the configuration', () => {
    expect(identityOf('abc')).toEqual({
      pid: process.pid,
      startTime: startTimeOf(process.pid),
      fingerprint: 'abc',
    })
  })
})
