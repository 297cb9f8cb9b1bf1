import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { startTimeOf } from '#net/base/start-time.ts'

describe('startTimeOf', () => {
  it('tells processes apart, whatever they are called', async () => {
    const own = startTimeOf(process.pid)
    expect(own).toMatch(/^\d+$/)
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

  it('does not take one for running that has ended and waits for its parent', async () => {
    // The shell becomes a program that never asks how its children ended.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)))
    try {
      await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n'))
      expect(startTimeOf(pid)).toBeDefined()
      process.kill(pid, 'SIGKILL')
      await vi.waitFor(() => expect(startTimeOf(pid)).toBeUndefined())
      expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ')
    } finally {
      parent.kill('SIGKILL')
    }
  })
})
