import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type BootOptions, bootScript } from '#hub/device/host/boot-script.ts'

const script = (more: Partial<BootOptions> & Partial<BootOptions['configuration']>): string =>
  bootScript({
    hostname: 'h1',
    configuration: { services: more.services ?? [], run: more.run ?? '' },
    notices: [],
    ...more,
  })

/** Without any program beside the shell's own. */
function run(text: string): string {
  const { stdout } = spawnSync('/bin/sh', ['-c', text], {
    env: { PATH: '/nowhere' },
    encoding: 'utf8',
  })
  return stdout
}

it('is empty when there is nothing to do', () => {
  expect(script({})).toBe('')
})

it('says what is to be said, whatever it is', () => {
  expect(run(script({ notices: [`it's "a" $notice`] }))).toBe(`it's "a" $notice\r\n`)
})

it('runs commands last, also after a service that cannot be had', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hybridge-boot-'))
  const text = script({ services: ['ssh', 'http'], run: 'echo done\n' })
    .replaceAll('/srv/www', directory)
    .replaceAll('cd /root', 'cd /')
  const said = run(text)
  rmSync(directory, { recursive: true })
  expect(said).toContain('ssh is not there: the hub has no sshd (install openssh-server on it)')
  expect(said).toContain('http is not there: the hub has neither busybox nor python3 (install one on it)')
  expect(said.endsWith('done\n')).toBe(true)
})
