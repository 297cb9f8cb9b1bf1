import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
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
})
