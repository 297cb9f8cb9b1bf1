/** The units, judged by systemd's own tool. No systemd runs here: what they do is in test/netns/service.test.ts. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finish, Running } from '#test/support/process.ts'

const SOURCES = join(import.meta.dirname, '../..')
const UNITS = [
  [join(SOURCES, 'agent/service/hconnect.service'), 30],
  // Worlds of devices need namespaces, mounts and control groups, VDE directories their set-group-ID bit (0.2).
  [join(SOURCES, 'hub/supervisor/hybridge.service'), 52],
] as const

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'units-'))
  const units = join(root, 'etc/systemd/system')
  mkdirSync(units, { recursive: true })
  cpSync('/lib/systemd/system', join(root, 'lib/systemd/system'), { recursive: true, verbatimSymlinks: true })
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  mkdirSync(join(root, 'bin'))
  for (const command of ['usr/bin/hconnect', 'usr/bin/hybridge', 'bin/kill'])
    writeFileSync(join(root, command), '#!/bin/sh\n', { mode: 0o755 })
  for (const [unit] of UNITS) copyFileSync(unit, join(units, basename(unit)))
})
afterAll(() => rmSync(root, { recursive: true }))

const analyze = (...args: string[]) =>
  finish(new Running('systemd-analyze', args, { env: { SYSTEMD_PAGER: '', LC_ALL: 'C' } }), { check: false })

describe.each(UNITS)('%s', (unit, threshold) => {
  it('has no fault that `systemd-analyze verify` finds', async () => {
    const { code, stdout, stderr } = await analyze('verify', '--man=no', `--root=${root}`, basename(unit))
    expect([code, stdout, stderr]).toEqual([0, '', ''])
  })

  it(`is exposed to at most ${threshold / 10} of 10`, async () => {
    const { code, stdout } = await analyze(
      'security',
      '--offline=true',
      `--threshold=${threshold}`,
      '--no-pager',
      unit,
    )
    expect(stdout).toMatch(/Overall exposure level for .*: \d\.\d (?:OK|MEDIUM)/)
    expect(code).toBe(0)
  })
})
