import { spawnSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

import { EXIT_NO_NIC, EXIT_UNREACHABLE, EXIT_USAGE } from '#agent/exit-codes.ts'

function hconnect(...args: string[]) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', HCONNECT_PASSWORD: 'x' }
  return spawnSync(process.execPath, ['--import', 'tsx', 'agent/main.ts', ...args], {
    encoding: 'utf8',
    env,
    timeout: 9000,
  })
}

describe('hconnect', () => {
  it('says in one line what is wrong with the command line', () => {
    const { status, stdout, stderr } = hconnect('-u', 'ann', '-s', 'hub')
    expect({ status, stdout }).toEqual({ status: EXIT_USAGE, stdout: '' })
    expect(stderr).toMatch(/^hconnect: no bridge given: .*\n$/)
  })

  it('refuses the full-screen view where there is no terminal', () => {
    const { status, stderr } = hconnect('-u', 'ann', '-s', 'hub', '-b', 'private0', '--tui')
    expect(status).toBe(EXIT_USAGE)
    expect(stderr).toMatch(
      /^hconnect: the full-screen view needs a terminal as standard input and output .*\n$/,
    )
  })

  it('says that there is no such interface before it dials', () => {
    const { status, stdout, stderr } = hconnect(
      '–u',
      'ann',
      '–b',
      'private0',
      '–s',
      '127.0.0.1:1',
      '-n',
      'nosuchnic',
    )
    expect(status).toBe(EXIT_NO_NIC)
    expect(stdout).toMatch(/^Hybridge Connector Version: \d+\.\d+\.\d+\n$/)
    expect(stderr).toMatch(/^hconnect: .*nosuchnic.*\n$/)
  })

  it('says that the hub cannot be reached, as an object too', () => {
    const { status, stdout } = hconnect('list', '-u', 'ann', '-s', '127.0.0.1:1', '--json')
    expect(status).toBe(EXIT_UNREACHABLE)
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'error',
      exitCode: EXIT_UNREACHABLE,
      message: expect.stringContaining('connection refused'),
    })
  })
})
