import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { childrenOf, descendantsOf, greediest, memoryOf } from '#hub/device/host/processes.ts'

describe('greediest', () => {
  const processes = [
    { pid: 1, kib: 10 },
    { pid: 2, kib: 500 },
    { pid: 3, kib: 490 },
  ]
  it('is the largest when all together have too much', () => {
    expect(greediest(processes, 999)).toEqual({ pid: 2, kib: 500 })
  })
  it('is nobody when they have not', () => {
    expect(greediest(processes, 1000)).toBeUndefined()
    expect(greediest([], 0)).toBeUndefined()
  })
})

it('finds processes and what they started, and their memory', async () => {
  const child = spawn('sh', ['-c', 'sleep 30 & echo up; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const pid = child.pid ?? 0
  try {
    await once(child.stdout, 'data')
    const [sleep = 0] = childrenOf(pid)
    expect(descendantsOf(pid)).toEqual([pid, sleep])
    expect(memoryOf(process.pid).kib).toBeGreaterThan(1000)
  } finally {
    process.kill(-pid, 'SIGKILL')
  }
})

it('knows nothing of processes that are gone', () => {
  expect(childrenOf(2 ** 30)).toEqual([])
  expect(memoryOf(2 ** 30)).toEqual({ pid: 2 ** 30, kib: 0 })
})
