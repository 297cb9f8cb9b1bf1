/**
 * Connector points: agents on bridges of a running topology, and on the hub's own, which has its own forwarding process.
 *
 *   [pc0 eth0]---[lan0  site  wan]---[wan  hub]   two/private0: both LANs, a host's em1
 *   [pc1 eth0]---[lan1  site               lan]---[eth0 far]   own0
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { EXIT_UNKNOWN_BRIDGE } from '#agent/exit-codes.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { runHconnect } from '#test/support/hconnect.ts'
import { Hub } from '#test/support/hub.ts'
import { hubProcesses, killProcess } from '#test/support/hub-processes.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { readPcapng } from '#test/support/pcapng.ts'
import { Ping } from '#test/support/ping.ts'
import type { Running } from '#test/support/process.ts'
import { parsePrometheusText } from '#test/support/prometheus-text.ts'
import { RunningTopology } from '#test/support/topology.ts'

const HUB = '10.97.0.2'
const METRICS = '127.0.0.1:9464'
const START = '#include "common.defs"\nTOPOLOGY_START(lab)\nPRIVATE_BRIDGES\n'
const HOST =
  'vm "pc" { CENTOS_LATEST interface "em1" { bridge "private0"; }; interface "em2" { bridge "private1"; }; };'
const TWO = `${START}${HOST}\nTOPOLOGY_END\n`
/** Names bridges, and has none. */
const THREE = `${START}TOPOLOGY_END\n`

let lab: Lab
let machine: Namespace
let site: Namespace
let pcs: Namespace[]
let hub: Hub
let agents: Running[]
let ping: Ping

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  site = lab.namespace('site')
  const far = lab.namespace('far')
  pcs = [0, 1].map((i) => lab.namespace(`pc${i}`))
  lab.link(site, 'wan', machine, 'wan')
  lab.link(machine, 'lan', far, 'eth0')
  site.address('wan', '10.97.0.1/24')
  machine.address('wan', `${HUB}/24`)
  for (const [i, pc] of pcs.entries()) {
    lab.link(pc, 'eth0', site, `lan${i}`)
    pc.address('eth0', `10.96.0.${i + 1}/24`)
  }
  hub = await Hub.start(machine, {
    address: HUB,
    bridges: ['own0'],
    attach: ['own0=nic:lan'],
    args: ['--metrics', METRICS],
  })
  await sendFrames(far, 'eth0', [makeFrame({ length: 60 })])
  await Promise.all([RunningTopology.start(hub, 'two', TWO), RunningTopology.start(hub, 'three', THREE)])
  agents = await Promise.all(
    ['private0', 'two/private0'].map((bridge, i) =>
      startAgent(site, { hub, nic: `lan${i}`, bridge, json: true }),
    ),
  )
  ping = await Ping.start(pcs[0] ?? machine, '10.96.0.2')
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await hub.stop()
  lab.close()
})

/** Full names that a user is shown. */
async function listed(): Promise<string[]> {
  const known = ['--identity', hub.identity, '--known-hosts', join(site.directory, 'known'), '--accept-new']
  const { stdout } = await runHconnect(site, ['list', '-u', 'ann', '-s', `${HUB}:${hub.port}`, ...known])
  return stdout.trim().split('\n')
}

const json = async (...words: string[]): Promise<unknown> =>
  JSON.parse((await hub.command([...words, '--json'])).stdout)

async function scraped(): Promise<string[]> {
  const script = `fetch('http://${METRICS}/metrics').then((a) => a.text()).then((t) => process.stdout.write(t))`
  const { stdout } = await machine.run(process.execPath, ['-e', script])
  const bridges = parsePrometheusText(stdout).flatMap(({ labels }) => labels['bridge'] ?? [])
  return [...new Set(bridges)].toSorted()
}

it('lists points with who is there, and says how to join one', async () => {
  expect(await listed()).toEqual(['own0', 'two/private0', 'two/private1'])
  const connected = agents.map((_, i) => expect.stringMatching(new RegExp(`^ann@.*:lan${i}$`)))
  expect(await json('connector', 'list')).toMatchObject([
    { bridge: 'own0', topology: null, connected: [] },
    { bridge: 'two/private0', topology: 'two', connected: expect.arrayContaining(connected) },
    { bridge: 'two/private1', topology: 'two', connected: [] },
  ])
  const { stdout } = await hub.command(['connector', 'show', 'private0'])
  expect(stdout).toMatch(
    /^two\/private0\nport {2}name +state {2}packets in +bytes in {2}packets out +bytes out\n/,
  )
  expect(stdout).toMatch(new RegExp(`\nhconnect -u USER -b two/private0 -s ${HUB}:${hub.port}\n$`))
})

it('refuses names that mean several bridges or one that nobody may join; makes one on its first use', async () => {
  const told = async (bridge: string): Promise<string> => {
    const { code, stderr } = await runHconnect(site, agentArguments(site, { hub, nic: 'lan0', bridge }))
    expect(code).toBe(EXIT_UNKNOWN_BRIDGE)
    return stderr
  }
  expect(await told('private9')).toContain('"private9" may be any of three/private9, two/private9')
  expect(await told('two/external')).toContain('two/external is the management network of two')
  const joined = await startAgent(site, { hub, nic: 'lan0', bridge: 'three/private9' })
  expect(await listed()).toContain('three/private9')
  await joined.stop()
})

it('captures from a bridge of a topology, and has its counters in one exposition', async () => {
  const file = join(machine.directory, 'two.pcapng')
  await hub.command(['capture', 'two/private0', '--filter', 'icmp', '-c', '3', '-w', file])
  expect(readPcapng(readFileSync(file)).packets).toHaveLength(3)
  await expect
    .poll(scraped, { timeout: 10_000 })
    .toEqual(['own0', 'three/private9', 'two/private0', 'two/private1'])
})

const ownPorts = (): Promise<unknown> => json('show', 'ports', 'own0')

it('has its agents back after its fabric was killed, which others do not notice', async () => {
  const before = await ownPorts()
  const fabric = hubProcesses(hub).get('two:fabric') ?? -1
  await killProcess(fabric)
  await ping.answered()
  expect(hubProcesses(hub).get('two:fabric')).not.toBe(fabric)
  expect(await ownPorts()).toEqual(before)
})

it('has its agents back after it was stopped and started; meanwhile nothing tells of it', async () => {
  const before = await ownPorts()
  await hub.command(['topology', 'stop', 'two'])
  // Another topology names a private0, too: an agent that has joined one goes to no other.
  await expect.poll(scraped, { timeout: 10_000 }).toEqual(['own0', 'three/private9'])
  await hub.command(['topology', 'start', 'two'])
  await ping.answered(30_000)
  expect(await ownPorts()).toEqual(before)
  ping.stop()
  expect(agents.map(({ alive }) => alive)).toEqual([true, true])
})
