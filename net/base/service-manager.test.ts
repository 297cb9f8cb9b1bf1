import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ServiceManager } from '#net/base/service-manager.ts'
import { NotifySocket } from '#test/support/notify-socket.ts'

const directory = mkdtempSync(join(tmpdir(), 'notify-'))
afterAll(() => rmSync(directory, { recursive: true }))

it.each([join(directory, 'socket'), `@hybridge-test-${process.pid}`])(
  'tells a manager at %s',
  async (address) => {
    const socket = new NotifySocket(address)
    const manager = new ServiceManager({ NOTIFY_SOCKET: address })
    manager.reloading()
    manager.ready()
    manager.status('two links:\n1 connected')
    manager.alive()
    manager.stopping()
    await socket.line(/^STOPPING=1$/)
    const [reloading, stamp = '', ...rest] = socket.lines
    expect(reloading).toBe('RELOADING=1')
    expect(
      Math.abs(Number(stamp.replace('MONOTONIC_USEC=', '')) - Number(process.hrtime.bigint() / 1000n)),
    ).toBeLessThan(20_000_000)
    expect(rest).toEqual(['READY=1', 'STATUS=two links: 1 connected', 'WATCHDOG=1', 'STOPPING=1'])
    socket.close()
  },
)

it('says nothing without one, or when nobody listens', () => {
  for (const address of [undefined, '', 'relative', '@', join(directory, 'none'), `/${'x'.repeat(200)}`]) {
    const manager = new ServiceManager({ NOTIFY_SOCKET: address, WATCHDOG_USEC: '1000' })
    expect(() => manager.ready()).not.toThrow()
  }
})

const watchdog = (env: NodeJS.ProcessEnv): number | undefined =>
  new ServiceManager({ NOTIFY_SOCKET: '/run/none', ...env }, 7).watchdogMs

it('knows whether and how often signs of life are waited for', () => {
  expect(watchdog({ WATCHDOG_USEC: '30000000' })).toBe(30_000)
  expect(watchdog({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' })).toBe(30_000)
  expect(watchdog({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' })).toBeUndefined()
  expect(watchdog({ WATCHDOG_USEC: 'x' })).toBeUndefined()
  expect(watchdog({})).toBeUndefined()
})
