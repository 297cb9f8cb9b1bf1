import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { enterScript, initScript } from '#hub/device/host/init-script.ts'

const LIMITS = { processes: 512, openFiles: 4096, sharedMb: 64, dataMb: undefined }
const check = (script: string): string => execFileSync('sh', ['-n'], { input: script, encoding: 'utf8' })

it('are scripts', () => {
  for (const hasUsers of [true, false]) {
    expect(check(enterScript(LIMITS, hasUsers))).toBe('')
    expect(check(initScript(['proc', 'usr/bin'], hasUsers))).toBe('')
  }
})

it('limits what the world may use, and its memory where nobody else does', () => {
  expect(enterScript(LIMITS, true)).toMatch(/prlimit --nproc=512 --nofile=4096 --core=0 setpriv/)
  expect(enterScript({ ...LIMITS, dataMb: 256 }, true)).toMatch(/--core=0 --data=268435456 setpriv/)
})

it('leaves root no right over file systems, modules, clocks or devices', () => {
  const [, rights] = /--bounding-set=(\S+)/.exec(enterScript(LIMITS, true)) ?? []
  expect(rights).toMatch(/^-all,/)
  expect(rights).not.toMatch(/sys_admin|sys_module|sys_resource|sys_time|mknod|sys_rawio|bpf|syslog/)
})

it('keeps owners only where there are users', () => {
  expect(initScript(['proc'], true)).toMatch(/--numeric-owner .*--exclude='\.\/proc'/)
  expect(initScript(['proc'], false)).toMatch(/--no-same-owner/)
})
