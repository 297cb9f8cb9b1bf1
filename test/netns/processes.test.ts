/**
 * The processes of a hub: what each may do, and what goes on when one of them fails.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *    10.99.0.1         10.98.0.1      (bridge)       10.98.0.2           10.99.0.2
 */
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isRecord } from '#net/base/unknown.ts'
import { startAgent } from '#test/support/agent.ts'
import { askProcess } from '#test/support/ask-process.ts'
import { runHconnect } from '#test/support/hconnect.ts'
import { hubProcesses, isRunning, killProcess, pidOf, statusOf } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { until } from '#test/support/process.ts'
import type { Finished, Running } from '#test/support/process.ts'
import { HUB_COMMAND } from '#test/support/product.ts'
import { buildSite, FAR_ADDRESS, HUB_ADDRESS } from '#test/support/site.ts'
import type { Site } from '#test/support/site.ts'

const RECONNECTED_MS = 20_000
const ALL = ['control', 'fabric', 'gateway-1', 'gateway-2', 'supervisor']

let lab: Lab
let site: Site
let hub: Hub
let agent: Running
let knownHosts: string

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  knownHosts = join(lab.directory, 'known_hosts')
  agent = await startAgent(site.site, { hub, nic: 'lan', knownHosts })
  await site.pc.reaches(FAR_ADDRESS)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const allRun = (): Promise<true> =>
  until('all processes run', () => [...hubProcesses(hub).keys()].sort().join() === ALL.join(), 15_000)

async function canLogIn(): Promise<void> {
  for (const deadline = performance.now() + 15_000; ;) {
    const args = ['-u', 'ann', '-s', `${HUB_ADDRESS}:2222`, '--identity', hub.identity]
    const { code, stdout, stderr } = await runHconnect(site.site, [
      'list',
      ...args,
      '--known-hosts',
      knownHosts,
    ])
    if (code === 0 && stdout === 'private0\n') return
    if (performance.now() > deadline) throw new Error(stderr)
  }
}

const serve = (data: string, ssh: string): Promise<Finished> => {
  const args = [HUB_COMMAND, 'serve', '--data', data, '--ssh', ssh, '--bridge', 'private0']
  return site.hub.run(process.execPath, args, { check: false })
}

const idOf = (name: string): number => Number(site.hub.exec('id', '-u', name))

const serviceUser = (): number => {
  try {
    return idOf('hybridge')
  } catch {
    return idOf('daemon')
  }
}

describe('a process of the hub', () => {
  const NONE = '0000000000000000'
  const NET = ((1 << 12) | (1 << 13)).toString(16).padStart(16, '0')

  it.each([
    ['control', serviceUser, NONE],
    ['fabric', serviceUser, NET],
    ['gateway-1', () => idOf('nobody'), NONE],
    ['gateway-2', () => idOf('nobody'), NONE],
  ] as const)(
    'has the user and the capabilities that it needs, and no others: %s',
    (name, user, effective) => {
      const pid = pidOf(hub, name)
      const numbers = (field: string): number[] => statusOf(pid, field).split(/\s+/).map(Number)
      const uid = user()
      expect(numbers('Uid')).toEqual([uid, uid, uid, uid])
      expect(new Set(numbers('Gid')).size).toBe(1)
      expect(numbers('Gid')[0]).not.toBe(0)
      expect(statusOf(pid, 'Groups')).toBe('')
      expect(statusOf(pid, 'CapEff')).toBe(effective)
      expect(statusOf(pid, 'CapPrm')).toBe(effective)
      expect(statusOf(pid, 'CapInh')).toBe(NONE)
      expect(statusOf(pid, 'CapAmb')).toBe(NONE)
      expect(statusOf(pid, 'NoNewPrivs')).toBe('1')
      // What one thread may, the process may.
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
        expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(String(uid))
        expect([NONE, effective]).toContain(/^CapEff:\s+(\w+)/m.exec(status)?.[1])
      }
    },
  )

  it('keeps its secrets: the gateways’ user reads no file and reaches no operator’s socket', async () => {
    const [uid = '', gid = ''] = ['Uid', 'Gid'].map((field) =>
      statusOf(pidOf(hub, 'gateway-1'), field).replace(/\s.*/, ''),
    )
    const asGateway = async (script: string): Promise<string[]> => {
      const user = ['--reuid', uid, '--regid', gid, '--clear-groups']
      const { stdout } = await site.hub.run('setpriv', [...user, process.execPath, '-e', script], {
        cwd: hub.data,
      })
      return stdout.trim().split('\n').sort()
    }
    const files = ['accounts.db', 'ssh_host_ed25519_key', 'log/control.log', 'run/control.json']
    const reading = await asGateway(
      `const fs = require('fs'), t = (f, x) => { try { f(x); console.log('READ', x) } catch (e) { console.log(e.code) } }
       for (const file of ${JSON.stringify(files)}) t(fs.readFileSync, file)
       for (const folder of ['.', 'run', 'log']) t(fs.readdirSync, folder)`,
    )
    expect(reading).toEqual(Array.from({ length: 7 }, () => 'EACCES'))
    const connecting = await asGateway(
      `for (const s of ['control', 'counters', 'fabric', 'auth', 'tunnel', 'capture', 'gateway-1'])
         require('net').connect('run/' + s + '.sock', function () { console.log(s, 'open'); this.destroy() })
           .on('error', (e) => console.log(s, e.code))`,
    )
    const closed = ['control EACCES', 'fabric EACCES', 'gateway-1 EACCES']
    expect(connecting).toEqual(
      ['auth open', 'capture open', ...closed, 'counters open', 'tunnel open'].sort(),
    )
  })

  it('leaves files that only their owners read', () => {
    const modeOf = (name: string): number => statSync(join(hub.data, name)).mode & 0o777
    const names = readdirSync(hub.data, { recursive: true, encoding: 'utf8' })
    expect(names).toContain('accounts.db')
    const shared: Record<string, number> = {
      '.': 0o710,
      run: 0o710,
      'run/auth.sock': 0o660,
      'run/counters.sock': 0o660,
      'run/tunnel.sock': 0o660,
      'run/capture.sock': 0o660,
    }
    for (const [name, mode] of Object.entries(shared)) expect([name, modeOf(name)]).toEqual([name, mode])
    const open = names.filter((name) => shared[name] === undefined && (modeOf(name) & 0o077) !== 0)
    expect(open).toEqual([])
    expect(modeOf('accounts.db')).toBe(0o600)
    expect(modeOf('ssh_host_ed25519_key')).toBe(0o600)
  })

  it('runs as the user who started the hub when that is not root', async () => {
    const data = join(lab.directory, 'mine')
    mkdirSync(data)
    const nobody = idOf('nobody')
    chownSync(data, nobody, nobody)
    const user = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', process.execPath]
    const args = ['serve', '--data', data, '--ssh', '127.0.0.1:0', '--bridge', 'private0']
    const own = site.hub.spawn('setpriv', [...user, HUB_COMMAND, ...args])
    await own.line(/^ready ssh=127\.0\.0\.1:[1-9]\d*$/, { deadlineMs: 15_000 })
    const pids = site.hub.pids().filter((pid) => statusOf(pid, 'Uid').startsWith(`${nobody}\t`))
    const others = pids.filter((pid) => ![pidOf(hub, 'gateway-1'), pidOf(hub, 'gateway-2')].includes(pid))
    expect(others).toHaveLength(5)
    expect((await own.stop()).code).toBe(0)
    expect(others.filter(isRunning)).toEqual([])
  })
})

describe('a second hub', () => {
  it('is refused on the same data, and the first goes on', async () => {
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const { code, stderr } = await serve(hub.data, '127.0.0.1:3333')
    expect(code).toBe(1)
    expect(stderr).toMatch(/another `hybridge serve` runs with this data directory \(.*--data\)/)
    expect(await ping.lost()).toEqual([])
    ping.stop()
  })

  it('ends when it is told to while it starts a process again', async () => {
    const data = join(lab.directory, 'stopped-early')
    const options = ['--data', data, '--ssh', `${HUB_ADDRESS}:2223`, '--gateways', '1']
    const start = (bridge: string): Running =>
      site.hub.spawn(process.execPath, [HUB_COMMAND, 'serve', ...options, '--bridge', bridge])
    const killed = start('before')
    await killed.line(/^ready/, { deadlineMs: 15_000 })
    await killed.stop('SIGKILL')
    const stopped = start('after')
    await stopped.line(/its configuration changed/, { deadlineMs: 15_000 })
    expect((await stopped.stop()).code).toBe(0)
    // The gateway of the first was not its own yet.
    const last = start('after')
    await last.line(/^ready/, { deadlineMs: 15_000 })
    await last.stop()
  })

  it('is refused on the same address, and the first goes on', async () => {
    const before = hubProcesses(hub)
    const data = join(lab.directory, 'other')
    const { code, stderr } = await serve(data, `${HUB_ADDRESS}:2222`)
    expect(code).toBe(1)
    expect(stderr).toMatch(/cannot listen on 10\.98\.0\.2:2222: .*another program listens there.*--ssh/)
    expect(hubProcesses(hub)).toEqual(before)
    expect(
      site.hub.pids().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(data)),
    ).toEqual([])
  })
})

const tunnelsOf = async (name: string): Promise<number> => {
  const status = await askProcess(hub, name, 'status')
  return isRecord(status) ? Number(status['tunnels']) : Number.NaN
}

describe('the end of one process', () => {
  it('supervisor: loses no ping, and the next supervisor adopts the others', async () => {
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const before = hubProcesses(hub)
    await killProcess(pidOf(hub, 'supervisor'))
    await hub.process.exited
    await canLogIn()
    await hub.serve()
    const after = hubProcesses(hub)
    for (const name of ['control', 'fabric', 'gateway-1', 'gateway-2'])
      expect(after.get(name)).toBe(before.get(name))
    await canLogIn()
    expect(await ping.lost()).toEqual([])
    ping.stop()
  })

  it('adopted process: is started again by the supervisor that did not start it', async () => {
    const pid = pidOf(hub, 'control')
    await killProcess(pid)
    await allRun()
    expect(pidOf(hub, 'control')).not.toBe(pid)
    await canLogIn()
  })

  it('control: loses no ping, and logins work again', async () => {
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    await killProcess(pidOf(hub, 'control'))
    await allRun()
    await canLogIn()
    expect(await ping.lost()).toEqual([])
    ping.stop()
  })

  it('gateway: its tunnels come back, and those of the other lose no ping', async () => {
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const [busy, idle] =
      (await tunnelsOf('gateway-1')) === 1
        ? (['gateway-1', 'gateway-2'] as const)
        : (['gateway-2', 'gateway-1'] as const)
    expect(await tunnelsOf(busy)).toBe(1)
    expect(await tunnelsOf(idle)).toBe(0)

    await killProcess(pidOf(hub, idle))
    await allRun()
    await canLogIn()
    expect(await ping.lost()).toEqual([])

    const from = agent.lines.length
    await killProcess(pidOf(hub, busy))
    await agent.line(/: connection lost: /, { from })
    await agent.line(/: connected again to /, { from, deadlineMs: RECONNECTED_MS })
    await ping.answered()
    await allRun()
    ping.stop()
  })

  it('fabric: agents come back, and the interface is attached again', async () => {
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const from = agent.lines.length
    await killProcess(pidOf(hub, 'fabric'))
    await agent.line(/: connection lost: the switch went away; /, { from })
    await agent.line(/: connected again to /, { from, deadlineMs: RECONNECTED_MS })
    await ping.answered()
    expect(site.hub.state('lan').promiscuity).toBe(1)
    await allRun()
    ping.stop()
  })
})
