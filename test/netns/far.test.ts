/**
 * A hub that is far away, and one behind a path that loses large packets and does not say so.
 *
 *   [pc eth0]---[lan  site  wan]---[site  WAN  hub]---[wan  hub  lan]---[eth0 far]
 */
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildFarSite } from '#test/bench/far-site.ts'
import { startAgent } from '#test/support/agent.ts'
import { loseLargePackets } from '#test/support/black-hole.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { buildSite, FAR_ADDRESS, HUB_ADDRESS, type Site } from '#test/support/site.ts'

const IPERF_PORT = 5201
/** What SSH's window lets be under way by itself, and more than its packets add to that. */
const FIRST_WINDOW = 2.5 * 2 ** 20
const DEADLINE_MS = 30_000

let lab: Lab

beforeEach(() => {
  lab = new Lab()
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

const startHub = ({ hub }: Site): Promise<Hub> =>
  Hub.start(hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })

/** Of the connection that has most: looked at until it is more than the window, or for half a minute. */
async function mostUnderWay(machine: Namespace): Promise<number> {
  let most = 0
  for (const end = performance.now() + DEADLINE_MS; most <= FIRST_WINDOW && performance.now() < end;) {
    most = Math.max(most, underWay(machine))
    await pause(100)
  }
  return most
}

/** Octets sent and not acknowledged, of the connection that has most. */
function underWay(machine: Namespace): number {
  const connections = machine.exec('ss', '-tinHO').split('\n')
  const octets = connections.map((line) => field(line, 'unacked') * field(line, 'mss'))
  return Math.max(0, ...octets)
}

const field = (line: string, name: string): number =>
  Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0)

it('has more under way on a far path than SSH gives a channel, both ways', { timeout: 120_000 }, async () => {
  const site = await buildFarSite(lab, 'delay=300ms')
  const hub = await startHub(site)
  site.far.spawn('iperf3', ['-s', '-p', String(IPERF_PORT)])
  await startAgent(site.site, { hub, nic: 'lan', json: true })
  await site.far.listening(IPERF_PORT)
  await site.pc.reaches(FAR_ADDRESS)
  // UDP does not take seconds to find its rate.
  const load = ['-c', FAR_ADDRESS, '-p', String(IPERF_PORT), '--bidir', '-u', '-b', '60M', '-t', '60']
  site.pc.spawn('iperf3', load)
  expect(await mostUnderWay(site.site)).toBeGreaterThan(FIRST_WINDOW)
  expect(await mostUnderWay(site.hub)).toBeGreaterThan(FIRST_WINDOW)
})

it('gets past a path that loses packets over 1300 octets, and says so', async () => {
  const site = buildSite(lab)
  const hub = await startHub(site)
  for (const machine of [site.site, site.hub]) machine.offloads('wan', 'off', ['tso', 'gso'])
  loseLargePackets(site.wan, 1300)
  const agent = await startAgent(site.site, { hub, nic: 'lan', json: true })
  await site.pc.reaches(FAR_ADDRESS)
  const { stdout } = await site.pc.run('ping', ['-c', '1', '-w', '30', '-s', '1400', FAR_ADDRESS], {
    timeoutMs: 40_000,
  })
  expect(stdout).toMatch(/ 1 received/)
  const told = await agent.line(/large packets to or from (\S+) are lost .* with segments of (\d+) octets/)
  expect([told[1], told[2]]).toEqual([HUB_ADDRESS, '1200'])
})
