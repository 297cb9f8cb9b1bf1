/**
 * `hconnect run` with several links, as a service manager and an operator see it.
 *
 *   [pc1 eth0]---[lan1  site  wan]---[wan  hub  lan1]---[eth0 far1]     private0
 *   [pc2 eth0]---[lan2                          lan2]---[eth0 far2]     private1
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnHconnect, runHconnect } from '#test/support/hconnect.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { NotifySocket } from '#test/support/notify-socket.ts'
import type { Running } from '#test/support/process.ts'
import { readPcapng } from '#test/support/pcapng.ts'
import { Ping } from '#test/support/ping.ts'
import { until } from '#test/support/process.ts'

const HUB_ADDRESS = '10.98.0.2'

interface LinkAnswer {
  name: string
  state: string
  reason: string
  attempt: number
}

let lab: Lab
let site: Namespace
let pc1: Namespace
let pc2: Namespace
let hub: Hub
let manager: NotifySocket
let hubManager: NotifySocket
let service: Running
let config: string
let env: NodeJS.ProcessEnv

/** A link of the configuration file. */
const entry = (name: string, nic: string, bridge: string, more = ''): string =>
  `  ${name}: { nic: ${nic}, bridge: ${bridge}, ${more} }\n`

function configure(...links: string[]): void {
  writeFileSync(
    config,
    `hub: ${HUB_ADDRESS}:2222\nuser: ann\nidentity: ${hub.identity}\nknown-hosts: ${join(lab.directory, 'known')}\n` +
      `accept-new: true\nlinks:\n${links.join('')}`,
  )
}

async function reload(): Promise<string> {
  const from = service.lines.length
  const said = manager.lines.length
  service.child.kill('SIGHUP')
  const [line] = await service.line(/configuration (read again|stays as it was): .*/, { from })
  await manager.line(/^READY=1$/, said)
  return line
}

interface AgentAnswer {
  pid: number
  links: LinkAnswer[]
}

/** What the one process that runs says of itself. */
async function answer(): Promise<AgentAnswer> {
  const { stdout } = await runHconnect(site, ['status', '--json'], { env, timeoutMs: 10_000 })
  const { agents }: { agents: AgentAnswer[] } = JSON.parse(stdout)
  const [agent] = agents
  if (!agent || agents.length > 1) throw new Error(`not one hconnect: ${stdout}`)
  return agent
}

beforeAll(async () => {
  lab = new Lab()
  site = lab.namespace('site')
  pc1 = lab.namespace('pc1')
  pc2 = lab.namespace('pc2')
  const machine = lab.namespace('hub')
  lab.link(site, 'wan', machine, 'wan')
  site.address('wan', '10.98.0.1/24')
  machine.address('wan', `${HUB_ADDRESS}/24`)
  for (const [i, pc] of [pc1, pc2].entries()) {
    const far = lab.namespace(`far${i + 1}`)
    lab.link(pc, 'eth0', site, `lan${i + 1}`)
    lab.link(machine, `lan${i + 1}`, far, 'eth0')
    pc.address('eth0', '10.99.0.1/24')
    far.address('eth0', `10.99.0.${i + 2}/24`)
  }
  hubManager = new NotifySocket(join(lab.directory, 'hub-notify'))
  hub = await Hub.start(machine, {
    env: { NOTIFY_SOCKET: join(lab.directory, 'hub-notify'), WATCHDOG_USEC: '1000000', WATCHDOG_PID: '' },
    address: HUB_ADDRESS,
    bridges: ['private0', 'private1'],
    attach: ['private0=nic:lan1', 'private1=nic:lan2'],
  })
  config = join(lab.directory, 'hconnect.yaml')
  configure(entry('first', 'lan1', 'private0'), entry('late', 'lan3', 'private1'))
  manager = new NotifySocket(join(lab.directory, 'notify'))
  env = {
    RUNTIME_DIRECTORY: join(lab.directory, 'hconnect'),
    NOTIFY_SOCKET: join(lab.directory, 'notify'),
    WATCHDOG_USEC: '1000000',
    WATCHDOG_PID: '',
    JOURNAL_STREAM: '8:1',
  }
  service = spawnHconnect(site, ['run', '--config', config], env)
})
afterAll(() => {
  manager.close()
  hubManager.close()
  lab.close()
})

describe('hconnect run', () => {
  it('is ready when each link was tried, and goes on without the one that fails', async () => {
    await manager.line(/^READY=1$/)
    await manager.line(/^STATUS=2 links: 1 connected; late failed: .*lan3/)
    await service.line(/^<5>first: connected to /)
    await service.line(/^<3>late: failed: cannot open lan3: .*; tried again in \d+ s$/)
    await pc1.reaches('10.99.0.2')
    const { code, stdout } = await runHconnect(site, ['status'], { env })
    expect(stdout).toMatch(/^LINK +NIC +BRIDGE +HUB +STATE /)
    expect(stdout).toMatch(/^first +lan1 +private0 +10\.98\.0\.2:2222 +connected /m)
    expect(stdout).toMatch(/^late: attempt 1: cannot open lan3: .*; tried again in \d+s$/m)
    expect(code).toBe(1)
  })

  it('takes an interface that comes later', async () => {
    site.ip('link', 'set', 'lan2', 'name', 'lan3')
    await service.line(/^<5>late: connected to /)
    await pc2.reaches('10.99.0.3')
    expect((await runHconnect(site, ['status'], { env })).code).toBe(0)
  })

  it('follows the file at SIGHUP, while other links carry on', async () => {
    const ping = await Ping.start(pc1, '10.99.0.2')
    configure(entry('first', 'lan1', 'private0'))
    expect(await reload()).toBe('configuration read again: removed late')
    expect((await answer()).links.map(({ name }) => name)).toEqual(['first'])
    writeFileSync(config, 'links: { first: { nic: lan1, brigde: private0 } }\n')
    expect(await reload()).toContain(
      `hconnect.yaml:1:30: links.first.brigde: there is no such setting; did you mean bridge?`,
    )
    configure(entry('first', 'lan1', 'private0'), entry('second', 'lan3', 'private1'))
    const said = manager.lines.length
    expect(await reload()).toBe('configuration read again: added second')
    expect(manager.lines[said]).toBe('RELOADING=1')
    expect(manager.lines[said + 1]).toMatch(/^MONOTONIC_USEC=\d+$/)
    await pc2.reaches('10.99.0.3')
    expect(await ping.lost()).toEqual([])
    ping.stop()
  })

  it('feeds the watchdog, and is none the worse for standing still', async () => {
    const from = manager.lines.length
    await until(
      'two signs of life',
      () => manager.lines.slice(from).filter((line) => line === 'WATCHDOG=1').length > 1,
    )
    const { pid, links } = await answer()
    process.kill(pid, 'SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 3000))
    process.kill(pid, 'SIGCONT')
    await manager.line(/^WATCHDOG=1$/, manager.lines.length)
    await pc1.reaches('10.99.0.2')
    const after = await answer()
    expect(after.pid).toBe(pid)
    expect(after.links.map(({ name, state }) => [name, state])).toEqual(
      links.map(({ name }) => [name, 'connected']),
    )
  })

  it('keeps the last frames of a LAN, and writes them and those that follow', async () => {
    configure(entry('first', 'lan1', 'private0', 'capture-ring: 1M'), entry('second', 'lan3', 'private1'))
    expect(await reload()).toBe('configuration read again: changed first')
    await pc1.reaches('10.99.0.2')
    await pc1.run('ping', ['-c', '3', '-i', '0.05', '-s', '1111', '10.99.0.2'])
    const file = join(lab.directory, 'ring.pcapng')
    const once = await runHconnect(site, ['capture', '--once', '-o', file], { env })
    expect([once.code, once.stderr]).toEqual([0, expect.stringMatching(/\d packets, 0 lost$/m)])
    const sizes = (): number[] => readPcapng(readFileSync(file)).packets.map(({ length }) => length)
    const longOnes = (): number => sizes().filter((length) => length === 1111 + 42).length
    expect(longOnes()).toBe(6)
    const live = spawnHconnect(site, ['capture', 'first', '-o', file], env)
    await until('the ring in the file', () => existsSync(file) && longOnes() === 6)
    await pc1.run('ping', ['-c', '1', '-s', '1111', '10.99.0.2'])
    await until('what came after', () => longOnes() === 8)
    expect((await live.stop('SIGINT')).code).toBe(0)
    expect(sizes().length).toBeGreaterThanOrEqual(8)
    const none = await runHconnect(site, ['capture', 'second', '-o', file], { env })
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('second keeps no capture ring')])
  })

  it('ends in order at SIGTERM', async () => {
    const { code } = await service.stop('SIGTERM', 10_000)
    await manager.line(/^STOPPING=1$/)
    expect(code).toBe(0)
    expect(site.state('lan1').promiscuity).toBe(0)
    const { code: none, stdout } = await runHconnect(site, ['status'], { env })
    expect([none, stdout]).toEqual([3, 'no hconnect runs here\n'])
  })

  it('puts interfaces back at a fault of its own, and says what it was', async () => {
    const fault = 'process.on("SIGUSR2",()=>{throw new Error("on purpose")})'
    const broken = spawnHconnect(site, ['run', '--config', config], {
      ...env,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
    })
    await broken.line(/^<5>first: connected to /)
    expect(site.state('lan1').promiscuity).toBe(1)
    process.kill((await answer()).pid, 'SIGUSR2')
    const { code, stderr } = await broken.exited
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^<3>a fault of the program: Error: on purpose/m),
    ])
    expect(site.state('lan1').promiscuity).toBe(0)
    expect(site.nicRecords()).toEqual([])
  })
})

describe('hybridge serve', () => {
  it('tells its service manager when it serves, lives and ends', async () => {
    await hubManager.line(/^WATCHDOG=1$/)
    const { code } = await hub.stop()
    await hubManager.line(/^STOPPING=1$/)
    expect([code, hubManager.lines.filter((line) => line === 'READY=1').length]).toEqual([0, 1])
    expect(hubManager.lines).toContain(`STATUS=SSH on ${HUB_ADDRESS}:2222`)
  })
})
