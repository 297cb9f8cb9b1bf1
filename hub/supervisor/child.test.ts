import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTimeOf } from '#net/base/start-time.ts'
import { writeProcessConfig } from '#hub/base/process-config.ts'
import { Child } from '#hub/supervisor/child.ts'
import { readPidFile, writePidFile } from '#hub/supervisor/pid-file.ts'
import { until } from '#test/support/process.ts'

/** Answers `status` as a process of the hub does; `wrong` in its configuration: ends with a word about it. */
const PROGRAM = `
const { createHash } = require('crypto'), fs = require('fs'), net = require('net')
const text = fs.readFileSync('run/x.json', 'utf8')
if (text.includes('wrong')) { console.log('first line'); console.log('{"msg":"no such thing"}'); process.exit(1) }
const fingerprint = createHash('sha256').update(text).digest('hex').slice(0, 16)
fs.rmSync('run/x.sock', { force: true })
net.createServer((socket) => socket.on('data', () =>
  socket.write(JSON.stringify({ id: 1, ok: true, result: { pid: process.pid, startTime: '', fingerprint, problems: [] } }) + '\\n'),
)).listen('run/x.sock')
`

let directory: string
let before: string
const children: Child[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-child-'))
  for (const name of ['run', 'log']) mkdirSync(join(directory, name))
  before = process.cwd()
  process.chdir(directory)
})
afterEach(async () => {
  for (const child of children.splice(0)) await child.stop(0)
  process.chdir(before)
  rmSync(directory, { recursive: true })
})

function make(config: object = {}): Child {
  const log = pino({ level: 'silent' })
  const options = {
    name: 'x',
    program: ['-e', PROGRAM],
    socket: 'run/x.sock',
    users: undefined,
    logLevel: 'info',
  }
  const child = new Child({ ...options, config, log })
  children.push(child)
  return child
}

/** A process that an earlier supervisor started. */
async function leave(config: object, ready = true): Promise<number> {
  writeProcessConfig('x', config, undefined)
  const { pid = 0 } = spawn(process.execPath, ['-e', PROGRAM], { stdio: 'ignore' })
  writePidFile('x', { pid, startTime: startTimeOf(pid) ?? '' })
  if (ready) await until('it is ready', () => existsSync('run/x.sock'))
  return pid
}

const pidOf = (): number => readPidFile('x')?.pid ?? 0
/** Or has ended, and its parent, which may be this test, has not asked how. */
const isGone = (pid: number): boolean => startTimeOf(pid) === undefined

/** Of others than this test, those that work in its directory. */
const processesHere = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && workingDirectoryOf(pid) === directory)
const workingDirectoryOf = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

describe('Child', () => {
  it('starts, and starts again what ends, with the reason meanwhile', async () => {
    const child = make()
    expect(await child.start()).toEqual({ adopted: false })
    expect(child.state).toBe('running')
    const pid = pidOf()
    process.kill(pid, 'SIGKILL')
    await until('its end is noticed', () => child.state === 'failed')
    expect(child.reason).toBe('it ended (SIGKILL), started again in 0.2 s')
    await until('it runs again', () => child.state === 'running')
    expect(pidOf()).not.toBe(pid)
    expect(child.reason).toBe('')
  })

  it('says what a process said that ends at once, and how often it is tried', async () => {
    const child = make({ is: 'wrong' })
    await expect(child.start()).rejects.toThrow(
      'x: it ended (exit code 1: no such thing), started again in 0.2 s',
    )
    await until('it is tried again', () => child.reason.endsWith('again in 0.8 s'))
    await child.stop()
    expect(child).toMatchObject({ state: 'stopped', reason: '' })
  })

  it.each([
    ['its configuration', 'run/x.json.new'],
    ['its pid', 'run/x.pid'],
  ])('is tried again when %s cannot be written, and leaves no process meanwhile', async (_, file) => {
    mkdirSync(file)
    const child = make()
    await expect(child.start()).rejects.toThrow(/directory/)
    expect(child.reason).toMatch(/directory.*, started again in 0.2 s$/)
    rmdirSync(file)
    await until('it runs', () => child.state === 'running')
    expect(processesHere()).toEqual([pidOf()])
  })

  it('is stopped while it starts, and leaves nothing', async () => {
    const child = make()
    const started = child.start()
    await until('its process is there', () => pidOf() > 0)
    const pid = pidOf()
    await child.stop()
    await started
    expect(child.state).toBe('stopped')
    expect(isGone(pid)).toBe(true)
    expect(readPidFile('x')).toBeUndefined()
  })

  it('does one thing after the other when it is told several at once', async () => {
    const child = make()
    await Promise.all([child.start(), child.stop(), child.start(), child.stop(), child.start()])
    expect(child.state).toBe('running')
    const pid = pidOf()
    await Promise.all([child.stop(), child.start(), child.stop(), child.start()])
    expect(child.state).toBe('running')
    expect(isGone(pid)).toBe(true)
  })

  it('goes on with the process of an earlier supervisor, and watches it', async () => {
    const pid = await leave({ a: 1 })
    const child = make({ a: 1 })
    expect(await child.start()).toEqual({ adopted: true })
    expect([pidOf(), child.state]).toEqual([pid, 'running'])
    process.kill(pid, 'SIGKILL')
    await until('it runs again', () => child.state === 'running' && pidOf() !== pid && pidOf() > 0)
  })

  it('waits for one that was left while it started', async () => {
    const pid = await leave({ a: 1 }, false)
    expect(await make({ a: 1 }).start()).toEqual({ adopted: true })
    expect(pidOf()).toBe(pid)
  })

  it('ends one that was left with another configuration, and starts its own', async () => {
    const pid = await leave({ a: 1 })
    expect(await make({ a: 2 }).start()).toEqual({ adopted: false })
    expect(isGone(pid)).toBe(true)
    expect(readFileSync('run/x.json', 'utf8')).toBe('{"a":2}')
  })

  it('ends one that was left and does not answer', async () => {
    const pid = await leave({ a: 1 })
    process.kill(pid, 'SIGSTOP')
    expect(await make({ a: 1 }).start()).toEqual({ adopted: false })
    expect(isGone(pid)).toBe(true)
  }, 30_000)

  it('ends what was left without having started it', async () => {
    const pid = await leave({ a: 1 })
    await make().stop()
    expect(isGone(pid)).toBe(true)
  })

  it.each(['run', 'log'])("follows no link in place of %s, which is not root's", async (name) => {
    const elsewhere = join(directory, 'elsewhere')
    renameSync(name, elsewhere)
    symlinkSync(elsewhere, name)
    await expect(make().start()).rejects.toThrow(/ENOTDIR|ELOOP/)
    expect(readdirSync(elsewhere)).toEqual([])
    rmSync(name)
    mkdirSync(name)
  })
})
