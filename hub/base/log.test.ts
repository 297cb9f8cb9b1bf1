import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BoundedFile } from '#hub/base/log.ts'

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
