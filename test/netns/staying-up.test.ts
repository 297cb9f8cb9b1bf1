/**
 * The agent comes back by itself, whatever happened to the way: to one port of the hub, and soon. The WAN is a bridge of
 * a hub of ours, which can be slow and lose packets.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *    10.99.0.1         10.98.0.1      (hybridge)      10.98.0.2           10.99.0.2
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startAgent } from '#test/support/agent.ts'
import { blackHole } from '#test/support/black-hole.ts'
import { hubProcesses } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { type Running, until } from '#test/support/process.ts'
import { reportsOf } from '#test/support/report.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS } from '#test/support/site.ts'

const NAME = 'hub.test'
const OTHER_HUB_ADDRESS = '10.98.0.22'
/** From the path's return to traffic: 5 s, asserted at twice that. */
const BACK_MS = 10_000
/** A silent connection is lost after three keepalives, 6 s; one in doubt after 2.5 s and two round trips. */
const DOUBTED_MS = 5_000

let lab: Lab
let site: Namespace
let wan: Hub
let hub: Hub
let agent: Running
let ping: Ping

beforeAll(async () => {
  lab = new Lab()
  const [pc, middle] = [lab.namespace('pc'), lab.namespace('wan')]
  const [machine, far] = [lab.namespace('hub'), lab.namespace('far')]
  site = lab.namespace('site')
  lab.link(pc, 'eth0', site, 'lan')
  lab.link(site, 'wan', middle, 'site')
  lab.link(middle, 'hub', machine, 'wan')
  lab.link(machine, 'lan', far, 'eth0')
  pc.address('eth0', `${PC_ADDRESS}/24`)
  far.address('eth0', `${FAR_ADDRESS}/24`)
  site.address('wan', '10.98.0.1/24')
  machine.address('wan', `${HUB_ADDRESS}/24`)
  site.hosts({ [NAME]: HUB_ADDRESS })
  wan = await Hub.start(middle, { address: '127.0.0.1', attach: ['private0=nic:site', 'private0=nic:hub'] })
  hub = await Hub.start(machine, { address: '0.0.0.0', attach: ['private0=nic:lan'] })
  const knownHosts = join(lab.directory, 'known_hosts')
  agent = await startAgent(site, { hub, nic: 'lan', host: NAME, knownHosts, interval: 0.5 })
  ping = await Ping.start(pc, FAR_ADDRESS)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

/** The tunnels' ports at the hub: `2 up`. */
async function ports(): Promise<string[]> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const list: { number: number; name: string; up: boolean }[] = JSON.parse(stdout)
  const tunnels = list.filter(({ name }) => name.startsWith('tunnel:'))
  return tunnels.map(({ number, up }) => `${number} ${up ? 'up' : 'down'}`)
}

/** Frames that the agent has had through its tunnels, of all connections. */
const heard = (): number => reportsOf(agent.lines).at(-1)?.[1].in.frames ?? 0

/** Of the agent, and of all processes of the hub. */
const descriptors = (pids: Iterable<number>): number =>
  [...pids].reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
const held = (): number[] => [[agent.pid], hubProcesses(hub).values()].map(descriptors)

/** Waits after a fault until the agent is back. @returns the ports that there are then at the hub, and whether it counts on */
async function backAfter(fault: () => Promise<void>): Promise<{ ports: string[]; countsOn: boolean }> {
  const from = agent.lines.length
  const before = heard()
  await fault()
  await ping.answered(BACK_MS)
  await agent.line(/: connected again to /, { from })
  // The report under way may have been made before the answers came.
  const made = reportsOf(agent.lines).length
  await until('two more reports', () => reportsOf(agent.lines).length > made + 1)
  return { ports: await ports(), countsOn: before > 0 && heard() > before }
}
const BACK = { ports: ['2 up'], countsOn: true }

const impair = (what: string): Promise<unknown> =>
  wan.command(['bridge', 'port', 'set', 'private0', '1', `impair=${what}`])

it('finds out at once, when a route changes, that its way is dead, and is back when it is; 100 ms, 1 % lost', async () => {
  await impair('delay=50ms,loss=1%,seed=5')
  try {
    const back = backAfter(async () => {
      const from = agent.lines.length
      const fill = blackHole([site, hub.namespace])
      site.ip('route', 'add', '192.0.2.0/24', 'via', '10.98.0.9')
      try {
        // Without the change it would be 6.0 s.
        const lost = /: connection lost: nothing heard from the peer for [2-5]\.\d s; reconnecting$/
        await agent.line(lost, { from, deadlineMs: DOUBTED_MS })
        await agent.line(/^disconnected since \w{3} \w{3} .*, attempt [1-9]\d*: .*no answer/, { from })
      } finally {
        fill()
      }
    })
    expect(await back).toEqual(BACK)
  } finally {
    await impair('none')
  }
})

it('dials anew at once from another address when its own is gone', async () => {
  const back = backAfter(async () => {
    const from = agent.lines.length
    site.ip('address', 'delete', '10.98.0.1/24', 'dev', 'wan')
    site.address('wan', '10.98.0.7/24')
    await agent.line(/: connection lost: this machine has no address 10\.98\.0\.1 any more; reconnecting$/, {
      from,
    })
  })
  expect(await back).toEqual(BACK)
})

it('finds a hub that was killed, all of it, and is started at another address of its name', async () => {
  const back = backAfter(async () => {
    const from = agent.lines.length
    for (const pid of hubProcesses(hub).values()) process.kill(pid, 'SIGKILL')
    await agent.line(/: still no connection: /, { from, deadlineMs: BACK_MS })
    hub.namespace.ip('address', 'delete', `${HUB_ADDRESS}/24`, 'dev', 'wan')
    hub.namespace.address('wan', `${OTHER_HUB_ADDRESS}/24`)
    site.hosts({ [NAME]: OTHER_HUB_ADDRESS })
    await until('all are gone', () => hubProcesses(hub).size === 0)
    await hub.serve()
    await agent.line(new RegExp(`: connected again to ${OTHER_HUB_ADDRESS}$`), { from, deadlineMs: BACK_MS })
  })
  expect(await back).toEqual(BACK)
})

it('holds no more after a hundred reconnects than before, nor does the hub', async () => {
  const again = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const from = agent.lines.length
      agent.child.kill('SIGHUP')
      await agent.line(/: connected again to /, { from, deadlineMs: BACK_MS })
    }
  }
  await again(5)
  const before = held()
  await again(100)
  // A leak would be a hundred; a gateway that had no agent before opens what it keeps.
  const isNoMore = (now: number[]): boolean => now.every((count, i) => count <= (before[i] ?? 0) + 4)
  await expect.poll(held, { timeout: BACK_MS }).toSatisfy(isNoMore)
  expect(await ports()).toEqual(BACK.ports)
})
