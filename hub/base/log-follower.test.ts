import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BoundedFile } from '#hub/base/log.ts'
import { LogFollower } from '#hub/base/log-follower.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-log-'))
  path = join(directory, 'fabric.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

const line = (i: number): string =>
  `{"level":30,"time":"2026-01-01T00:00:00.${String(i).padStart(6, '0')}Z","msg":"${i}"}`

describe('LogFollower', () => {
  it('gives every new line once, across rotations', async () => {
    const total = 300
    const file = new BoundedFile(path, 8000)
    const all = new Promise<string[]>((resolve) => {
      const got: string[] = []
      const follower = new LogFollower(directory)
      follower.follow('fabric.log', (text) => {
        got.push(text)
        if (text !== line(total - 1)) return
        follower.close()
        resolve(got)
      })
    })
    for (let i = 0; i < total; i++) {
      file.write(`${line(i)}\n`)
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const lines = await all
    file.close()
    expect(lines).toEqual(Array.from({ length: total }, (_, i) => line(i)))
    expect(statSync(`${path}.1`).size).toBeGreaterThan(0)
  })

  it('waits for a file that is not there yet', async () => {
    const first = new Promise<string>((resolve) => {
      const follower = new LogFollower(directory)
      follower.follow('fabric.log', (text) => {
        follower.close()
        resolve(text)
      })
    })
    const file = new BoundedFile(path)
    file.write(`${line(7)}\n`)
    expect(await first).toBe(line(7))
    file.close()
  })

  it('starts behind what is there, and cuts an endless line', async () => {
    const file = new BoundedFile(path)
    file.write(`${line(0)}\n`)
    const got = new Promise<string[]>((resolve) => {
      const lines: string[] = []
      const follower = new LogFollower(directory)
      follower.follow('fabric.log', (text) => {
        lines.push(text)
        if (text !== 'end') return
        follower.close()
        resolve(lines)
      })
    })
    file.write(`${'x'.repeat(300_000)}\nend\n`)
    const [long, end] = await got
    file.close()
    expect(long?.length).toBe(64 * 1024)
    expect(end).toBe('end')
  })

  it('follows several files with one watch, each until it is let go', async () => {
    const follower = new LogFollower(directory)
    const got: string[] = []
    const last = new Promise<void>((resolve) => {
      follower.follow('a.log', (text) => got.push(`a ${text}`))
      follower.follow('b.log', (text) => {
        got.push(`b ${text}`)
        if (text === line(3)) resolve()
      })
    })
    const a = new BoundedFile(join(directory, 'a.log'))
    const b = new BoundedFile(join(directory, 'b.log'))
    a.write(`${line(1)}\n`)
    follower.unfollow('a.log')
    a.write(`${line(2)}\n`)
    b.write(`${line(3)}\n`)
    await last
    follower.close()
    a.close()
    b.close()
    expect(got).toEqual([`a ${line(1)}`, `b ${line(3)}`])
  })
})
