import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityOf, readProcessConfig, startTimeOf, writeProcessConfig } from '#hub/base/process-config.ts'

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

describe('startTimeOf', () => {
  it('tells processes apart, whatever they are called', async () => {
    const own = startTimeOf(process.pid)
    expect(own).toMatch(/^\d+$/)
    expect(identityOf('abc')).toEqual({ pid: process.pid, startTime: own, fingerprint: 'abc' })
    // A process may call itself what looks like the fields of /proc/PID/stat.
    const script = `process.title = ') R 1 2 3'; console.log('named'); setTimeout(() => {}, 60000)`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect(Number(startTimeOf(child.pid ?? 0))).toBeGreaterThanOrEqual(Number(own))
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
    expect(startTimeOf(child.pid ?? 0)).toBeUndefined()
  })
})
