import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { CAP_NET_ADMIN, CAP_NET_RAW, type Capability, processUsers } from '#hub/base/privilege.ts'

const isRoot = process.geteuid?.() === 0

/** Drops in a process of its own. @returns fields of /proc/self/status, and those of its other threads */
function dropped(keep: readonly Capability[]): { main: Map<string, string>; others: Map<string, string>[] } {
  const script = `
    import { readFileSync, readdirSync } from 'node:fs'
    import { dropTo, processUsers } from '#hub/base/privilege.ts'
    readFileSync('/dev/null')
    dropTo(processUsers()?.service, ${JSON.stringify(keep)})
    const tasks = readdirSync('/proc/self/task').filter((task) => task !== String(process.pid))
    const status = ['self', ...tasks.map((task) => 'self/task/' + task)].map((p) => readFileSync('/proc/' + p + '/status', 'utf8'))
    process.stdout.write(JSON.stringify(status))`
  const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  const texts: string[] = JSON.parse(output)
  const [main = new Map<string, string>(), ...others] = texts.map(
    (text) =>
      new Map(
        text.split('\n').map((row) => [row.split(':')[0] ?? '', row.split(':')[1]?.trim() ?? ''] as const),
      ),
  )
  return { main, others }
}

describe.runIf(isRoot)('dropTo as root', () => {
  it('becomes the service user with no capability at all', () => {
    const { main, others } = dropped([])
    const uid = processUsers()?.service.uid
    expect(uid).toBeGreaterThan(0)
    expect(others.length).toBeGreaterThan(0)
    for (const status of [main, ...others]) {
      expect(status.get('Uid')).toBe(`${uid}\t${uid}\t${uid}\t${uid}`)
      expect(status.get('Groups')).toBe('')
      for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
        expect(status.get(set)).toBe('0000000000000000')
    }
    expect(main.get('NoNewPrivs')).toBe('1')
  })

  it('keeps the named capabilities, on the main thread only', () => {
    const { main, others } = dropped([CAP_NET_RAW, CAP_NET_ADMIN])
    const kept = ((1 << CAP_NET_RAW) | (1 << CAP_NET_ADMIN)).toString(16).padStart(16, '0')
    expect(main.get('CapEff')).toBe(kept)
    expect(main.get('CapPrm')).toBe(kept)
    expect(main.get('CapInh')).toBe('0000000000000000')
    for (const status of others) expect(status.get('CapEff')).toBe('0000000000000000')
  })
})

describe('processUsers', () => {
  it('names unprivileged users, and only to root', () => {
    const users = processUsers()
    expect(users !== undefined).toBe(isRoot)
    expect(users?.service.uid ?? 'both').not.toBe(users?.gateway.uid)
  })
})
