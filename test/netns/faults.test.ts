/**
 * What each side does when the other fails. Every test has a laboratory of its own.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *    10.99.0.1         10.98.0.1      (bridge)       10.98.0.2           10.99.0.2
 */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_ENDED, EXIT_TAKEN_OVER } from '#agent/exit-codes.ts'
import { KEEPALIVE_MS } from '#net/tunnel/hello.ts'
import { MISSED_KEEPALIVES } from '#net/tunnel/session.ts'
import { startAgent } from '#test/support/agent.ts'
import { hubLog, hubProcesses, isRunning } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { until } from '#test/support/process.ts'
import type { Running } from '#test/support/process.ts'
import { HUB_COMMAND } from '#test/support/product.ts'
import { buildSite, FAR_ADDRESS, HUB_ADDRESS } from '#test/support/site.ts'
import type { Site } from '#test/support/site.ts'

/** Within three keepalives, asserted at twice that. */
const NOTICED_MS = 2 * MISSED_KEEPALIVES * KEEPALIVE_MS
const RECONNECTED_MS = 20_000

let lab: Lab
let site: Site
let hub: Hub

beforeEach(async () => {
  lab = new Lab()
  site = buildSite(lab)
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

const start = (): Promise<Running> =>
  startAgent(site.site, { hub, nic: 'lan', knownHosts: join(lab.directory, 'known_hosts') })

interface Port {
  number: number
  description: string
  up: boolean
  counters: { inFrames: number }
}

async function tunnelPort(): Promise<Port> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: Port[] = JSON.parse(stdout)
  const [port, ...others] = ports.filter(({ description }) => description.startsWith('ann@'))
  if (!port || others.length > 0) throw new Error(`not one port of ann: ${stdout}`)
  return port
}

async function portsUp(): Promise<Port[]> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: Port[] = JSON.parse(stdout)
  return ports.filter(({ description, up }) => description.startsWith('ann@') && up)
}

async function untilDown(): Promise<Port> {
  const deadline = performance.now() + NOTICED_MS
  for (;;) {
    const port = await tunnelPort()
    if (!port.up) return port
    if (performance.now() > deadline) throw new Error('the hub does not notice')
  }
}

const logged = (from: number, pattern: RegExp, deadlineMs = NOTICED_MS): Promise<true> =>
  until(`the hub logs ${pattern}`, () => hubLog(hub, from).some(({ msg }) => pattern.test(msg)), deadlineMs)

describe('an agent that is killed', () => {
  it('is missed at once, leaves its interface as the kernel does, and gets its port back', async () => {
    const agent = await start()
    const before = await tunnelPort()
    expect(before.up).toBe(true)
    await site.pc.reaches(FAR_ADDRESS)
    expect(site.site.state('lan').promiscuity).toBe(1)
    const from = hub.process.lines.length
    await agent.stop('SIGKILL')
    await logged(from, /^tunnel of ann on private0 ended: /)
    const left = await untilDown()
    expect(site.site.state('lan').promiscuity).toBe(0)

    await start()
    const after = await tunnelPort()
    expect(after).toMatchObject({ number: before.number, up: true })
    expect(after.counters.inFrames).toBeGreaterThanOrEqual(left.counters.inFrames)
    await site.pc.reaches(FAR_ADDRESS)
  })

  it('restores its interface when it is asked to end', async () => {
    const { mtu } = site.site.state('lan')
    const agent = await start()
    expect(site.site.state('lan').mtu).toBeGreaterThan(mtu)
    const from = hub.process.lines.length
    expect((await agent.stop('SIGINT')).code).toBe(EXIT_ENDED)
    expect(site.site.state('lan')).toMatchObject({ mtu, promiscuity: 0 })
    await logged(from, /^tunnel of ann on private0 ended: the agent was ended$/)
    expect((await untilDown()).up).toBe(false)
  })
})

describe('an agent that stands still', () => {
  it('is given up after three keepalives, and comes back to its port', async () => {
    const agent = await start()
    const { number } = await tunnelPort()
    const from = hub.process.lines.length
    agent.child.kill('SIGSTOP')
    await logged(from, /^tunnel of ann on private0 ended: nothing heard from the peer for /)
    await untilDown()
    agent.child.kill('SIGCONT')
    await agent.line(/: connection lost: .*; reconnecting$/, { deadlineMs: NOTICED_MS })
    await agent.line(/: connected again to /, { deadlineMs: RECONNECTED_MS })
    expect(await tunnelPort()).toMatchObject({ number, up: true })
    await site.pc.reaches(FAR_ADDRESS)
  })

  it('loses its port to one that comes back in its place, and is told', async () => {
    const old = await start()
    const { number } = await tunnelPort()
    old.child.kill('SIGSTOP')
    await start()
    expect(await tunnelPort()).toMatchObject({ number, up: true })
    await site.pc.reaches(FAR_ADDRESS)
    old.child.kill('SIGCONT')
    const { code, stderr } = await old.exited
    expect(stderr).toContain('another hconnect has taken this port over')
    expect(code).toBe(EXIT_TAKEN_OVER)
    expect(await tunnelPort()).toMatchObject({ number, up: true })
    await site.pc.reaches(FAR_ADDRESS)
  })
})

describe('an interface that is made again with another address', () => {
  it('gives its agent another port, which a second agent on it takes over', async () => {
    const old = await start()
    const [before] = await portsUp()
    site.site.ip('link', 'delete', 'lan')
    lab.link(site.pc, 'eth0', site.site, 'lan')
    site.pc.address('eth0', '10.99.0.1/24')
    await old.line(/: connected again to /, { deadlineMs: RECONNECTED_MS })
    await site.pc.reaches(FAR_ADDRESS)
    const [after, ...others] = await portsUp()
    expect(others).toEqual([])
    expect(after?.number).not.toBe(before?.number)
    await start()
    const { code } = await old.exited
    expect(code).toBe(EXIT_TAKEN_OVER)
    expect((await portsUp()).map(({ number }) => number)).toEqual([after?.number])
    await site.pc.reaches(FAR_ADDRESS)
  })
})

describe('a hub that ends', () => {
  it('tells its agents, leaves no process and restores its interface; they come back when it does', async () => {
    await hub.stop()
    const { mtu } = site.hub.state('lan')
    await hub.serve()
    expect(site.hub.state('lan')).toMatchObject({ promiscuity: 1 })
    expect(site.hub.state('lan').mtu).toBeGreaterThan(mtu)
    const agent = await start()
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const pids = [...hubProcesses(hub).values()]
    expect(pids).toHaveLength(5)

    const { code, stderr } = await hub.stop()
    expect(code).toBe(0)
    expect(pids.filter(isRunning)).toEqual([])
    expect(hubProcesses(hub).size).toBe(0)
    expect(stderr).not.toMatch(/"level":[56]0/)
    expect(site.hub.state('lan')).toMatchObject({ mtu, promiscuity: 0 })
    await agent.line(/: connection lost: the hub is stopping; reconnecting$/)
    await agent.line(/: still no connection: cannot reach the hub .*connection refused/)

    await hub.serve()
    await agent.line(/: connected again to 10\.98\.0\.2/, { deadlineMs: RECONNECTED_MS })
    await ping.answered()
  })

  it('is missed when it is killed, all of it, and found again', async () => {
    const agent = await start()
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    for (const pid of hubProcesses(hub).values()) process.kill(pid, 'SIGKILL')
    await agent.line(/: connection lost: .*; reconnecting$/, { deadlineMs: NOTICED_MS })
    await until('all are gone', () => hubProcesses(hub).size === 0)
    expect(site.hub.state('lan').promiscuity).toBe(0)
    await hub.serve()
    await agent.line(/: connected again to /, { deadlineMs: RECONNECTED_MS })
    await ping.answered()
    expect(hubProcesses(hub).size).toBe(5)
  })

  it('is missed when it stands still, and found again', async () => {
    const agent = await start()
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const pids = [...hubProcesses(hub).values()]
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await agent.line(/: connection lost: nothing heard from the peer for .*; reconnecting$/, {
      deadlineMs: NOTICED_MS,
    })
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    await agent.line(/: connected again to /, { deadlineMs: RECONNECTED_MS })
    await ping.answered()
    expect([...hubProcesses(hub).values()]).toEqual(pids)
  })

  it('leaves nothing behind when it is stopped while it starts', async () => {
    await hub.stop()
    for (const delayMs of [150, 300, 450, 600, 750]) {
      const process = site.hub.spawn('node', hub.commandLine.replace('hybridge', HUB_COMMAND).split(' '))
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      const { code } = await process.stop('SIGTERM', 8000)
      expect([0, null]).toContain(code)
      expect([...hubProcesses(hub)]).toEqual([])
      expect(site.hub.state('lan').promiscuity).toBe(0)
    }
  })
})

describe('a way that fails', () => {
  it('is noticed by both sides within three keepalives, and used again when it works', async () => {
    const agent = await start()
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    const from = hub.process.lines.length
    site.wan.ip('link', 'set', 'hub', 'down')
    await Promise.all([
      agent.line(/: connection lost: nothing heard from the peer for /, { deadlineMs: NOTICED_MS }),
      logged(from, /^tunnel of ann on private0 ended: nothing heard from the peer for /),
    ])
    site.wan.ip('link', 'set', 'hub', 'up')
    await agent.line(/: connected again to /, { deadlineMs: RECONNECTED_MS })
    await ping.answered()
    expect((await tunnelPort()).up).toBe(true)
  })
})
