import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { listenUnix } from '#hub/base/unix-listener.ts'
import { until } from '#test/support/process.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-unix-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('takes a few connections at a time, so that a flood of them leaves the event loop to others', async () => {
  const path = join(directory, 'socket')
  const accepted: number[] = []
  const atTurns: number[] = []
  const listener = listenUnix(path, 0o600, (fd) => {
    accepted.push(fd)
    setImmediate(() => atTurns.push(accepted.length))
  })
  const clients: number[] = []
  for (let i = 0; i < 40; i++) {
    const fd = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
    expect(libc.connect(fd, unixAddress(path), SOCKADDR_UN)).toBe(0)
    clients.push(fd)
  }
  await until('all are accepted', () => accepted.length === 40)
  expect(atTurns[0]).toBeLessThanOrEqual(8)
  listener.close()
  for (const fd of [...clients, ...accepted]) libc.close(fd)
})
