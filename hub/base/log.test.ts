import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BoundedFile, openSupervisorLog, relayLine } from '#hub/base/log.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-log-'))
  path = join(directory, 'fabric.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

const line = (i: number): string =>
  `{"level":30,"time":"2026-01-01T00:00:00.${String(i).padStart(6, '0')}Z","msg":"${i}"}`

describe('BoundedFile', () => {
  it('keeps one predecessor, both bounded and private', () => {
    const file = new BoundedFile(path, 1000)
    for (let i = 0; i < 100; i++) file.write(`${line(i)}\n`)
    file.close()
    for (const name of [path, `${path}.1`]) {
      expect(statSync(name).size).toBeLessThanOrEqual(1000)
      expect(statSync(name).mode & 0o777).toBe(0o600)
    }
    const text = readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')
    const first = 100 - text.trimEnd().split('\n').length
    expect(text).toBe(Array.from({ length: 100 - first }, (_, i) => `${line(first + i)}\n`).join(''))
  })

  it('goes on in the file of an earlier process, and follows no link', () => {
    for (let i = 0; i < 2; i++) {
      const file = new BoundedFile(path, 1000)
      file.write(`${line(i)}\n`)
      file.close()
    }
    expect(readFileSync(path, 'utf8')).toBe(`${line(0)}\n${line(1)}\n`)
    symlinkSync('/etc/hostname', join(directory, 'link.log'))
    expect(() => new BoundedFile(join(directory, 'link.log'))).toThrow(/ELOOP/)
  })
})

class Sink extends Writable {
  text = ''
  isTTY = false
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

/** What a log writes for `use`; pino-pretty passes lines on in later turns of the loop. */
async function written(
  isTTY: boolean,
  env: NodeJS.ProcessEnv,
  use: (log: ReturnType<typeof openSupervisorLog>) => void,
) {
  const stream = new Sink()
  stream.isTTY = isTTY
  use(openSupervisorLog('info', { stream, env }))
  while (!stream.text.includes('\n')) await new Promise((resolve) => setImmediate(resolve))
  return stream.text
}

describe('openSupervisorLog', () => {
  it('writes JSON lines when nobody watches', async () => {
    const text = await written(false, {}, (log) => log.info({ bridge: 'lab0' }, 'attached'))
    expect(JSON.parse(text)).toMatchObject({
      level: 30,
      process: 'supervisor',
      bridge: 'lab0',
      msg: 'attached',
    })
  })

  it('writes for people on a terminal, in colour unless NO_COLOR says otherwise', async () => {
    const coloured = await written(true, {}, (log) => log.warn('look'))
    expect(coloured).toContain('\u001b[')
    const plain = await written(true, { NO_COLOR: '1' }, (log) => log.warn('look'))
    expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: supervisor: look\n$/)
  })

  it('prints lines of children as theirs, without what could steer the terminal', async () => {
    const child = '{"level":40,"time":"x","process":"gateway-1","pid":5,"msg":"bad \\u001b[2Juser"}'
    const plain = await written(true, { NO_COLOR: '1' }, (log) => relayLine(log, 'gateway-1', child))
    expect(plain).toContain('WARN: gateway-1: bad \ufffd[2Juser')
    const json = await written(false, {}, (log) => relayLine(log, 'gateway-1', child))
    expect(JSON.parse(json)).toMatchObject({ level: 40, process: 'gateway-1' })
    const crash = await written(false, {}, (log) => relayLine(log, 'fabric', 'FATAL ERROR: \u001bheap'))
    expect(JSON.parse(crash)).toMatchObject({ level: 40, process: 'fabric', msg: 'FATAL ERROR: \ufffdheap' })
  })
})
