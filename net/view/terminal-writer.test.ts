import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TerminalWriter } from '#net/view/terminal-writer.ts'

/** More than a pipe holds: 64 KiB. */
const LARGE = 'x'.repeat(300_000)

let directory: string
/** A named pipe stands for a terminal that is slow to read. */
let fd: number
let written: () => void
let whenWritten: Promise<void>
let isGone: boolean
let writer: TerminalWriter

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'writer-'))
  execFileSync('mkfifo', [join(directory, 'fifo')])
  fd = openSync(join(directory, 'fifo'), constants.O_RDWR | constants.O_NONBLOCK)
  whenWritten = new Promise((resolve) => {
    written = resolve
  })
  isGone = false
  const onGone = (): void => {
    isGone = true
  }
  writer = new TerminalWriter(fd, { onWritten: () => written(), onGone })
})
afterEach(() => {
  writer.close()
  closeSync(fd)
  rmSync(directory, { recursive: true })
})

function readAll(): string {
  const memory = Buffer.alloc(1 << 20)
  try {
    return memory.toString('utf8', 0, readSync(fd, memory))
  } catch {
    return '' // it is empty
  }
}

describe('TerminalWriter', () => {
  it('writes at once what the terminal takes', () => {
    writer.write('a picture')
    expect([writer.isBusy, readAll()]).toEqual([false, 'a picture'])
  })

  it('does not wait for a terminal that takes no more, and goes on when it does', async () => {
    writer.write(LARGE)
    expect(writer.isBusy).toBe(true)
    let seen = ''
    const reading = setInterval(() => {
      seen += readAll()
    }, 5)
    await whenWritten
    clearInterval(reading)
    expect(writer.isBusy).toBe(false)
    expect(seen + readAll()).toBe(LARGE)
  })

  it('gives up on what is stuck at the end', () => {
    writer.write(LARGE)
    writer.writeLast('the end')
    expect(writer.isBusy).toBe(false)
    expect(readAll()).not.toContain('the end')
    writer.writeLast('the end')
    expect([readAll(), isGone]).toEqual(['the end', false])
  })
})
