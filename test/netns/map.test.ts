/**
 * `hconnect --map`: one interface of the site serves three bridges of the hub, each by a VLAN of the LAN, whose switch is
 * a hub of ours. The hosts of VLAN 10 and 20 have the same addresses.
 *
 *   [pc0 eth0]---[p0  access 10                               +- private0 [lan0]---[eth0 far0]   VLAN 10
 *   [pc1 eth0]---[p1  access 20  trunk]---[lan site wan]---[wan hub private1 [lan1]---[eth0 far1]   VLAN 20
 *                                                             +- private2 [lan2]---[eth0 far2]   untagged
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { EXIT_UNKNOWN_BRIDGE } from '#agent/exit-codes.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Capture } from '#test/support/capture.ts'
import { runHconnect } from '#test/support/hconnect.ts'
import { Hub } from '#test/support/hub.ts'
import { frameLengths } from '#test/support/pcap-lengths.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS } from '#test/support/site.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'
import { ScapySender, scapyFrames } from '#test/support/scapy-tags.ts'
import { transfer } from '#test/support/transfer.ts'

const MAP = ['10=private0', '20=private1', 'untagged=private2']
const BRIDGES = [0, 1, 2]

let lab: Lab
/** The LAN's switch: what is sent from its `trunk` is on the wire to the site. */
let lan: Namespace
let site: Namespace
let pcs: Namespace[]
let far: Namespace[]
let hub: Hub
let agent: Running

beforeAll(async () => {
  lab = new Lab()
  lan = lab.namespace('lan')
  site = lab.namespace('site')
  const machine = lab.namespace('hub')
  pcs = [0, 1].map((i) => lab.namespace(`pc${i}`))
  far = BRIDGES.map((i) => lab.namespace(`far${i}`))
  for (const [i, host] of pcs.entries()) lab.link(host, 'eth0', lan, `p${i}`)
  lab.link(lan, 'trunk', site, 'lan')
  lab.link(site, 'wan', machine, 'wan')
  for (const [i, host] of far.entries()) lab.link(machine, `lan${i}`, host, 'eth0')
  site.address('wan', '10.98.0.1/24')
  machine.address('wan', `${HUB_ADDRESS}/24`)
  for (const host of pcs) host.address('eth0', `${PC_ADDRESS}/24`)
  for (const host of far.slice(0, 2)) host.address('eth0', `${FAR_ADDRESS}/24`)
  await Hub.start(lan, {
    address: '127.0.0.1',
    attach: [
      'private0=nic:p0,mode=access,vlan=10',
      'private0=nic:p1,mode=access,vlan=20',
      'private0=nic:trunk',
    ],
  })
  const bridges = BRIDGES.map((i) => `private${i}`)
  const attach = BRIDGES.map((i) => `private${i}=nic:lan${i}`)
  hub = await Hub.start(machine, { address: HUB_ADDRESS, bridges, attach })
  agent = await startAgent(site, { hub, nic: 'lan', map: MAP, json: true, interval: 0.5 })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

interface AgentPort {
  bridge?: string
  vlan?: number
  active: boolean
  inDrops: Record<string, number>
}

async function agentPorts(): Promise<AgentPort[]> {
  const [line] = await agent.line(/^\{"type":"report".*/, { from: agent.lines.length })
  const { ports }: { ports: AgentPort[] } = JSON.parse(line)
  return ports
}

/** The tunnels' ports at the hub: `private0 2 up`. */
async function hubPorts(): Promise<string[]> {
  const { stdout } = await hub.command(['show', 'ports', '--json'])
  const all: { bridge: string; name: string; number: number; up: boolean }[] = JSON.parse(stdout)
  const tunnels = all.filter(({ name }) => name.startsWith('tunnel:'))
  return tunnels.map(({ bridge, number, up }) => `${bridge} ${number} ${up ? 'up' : 'down'}`)
}

const read = async (capture: Capture): Promise<unknown> => {
  await capture.stop()
  return scapyFrames(lan, capture)
}

it('gives each bridge its own VLAN without the tag, and the LAN the tag back; nothing else passes', async () => {
  const captures = await Promise.all(far.map((host) => Capture.start(host, 'eth0', { direction: 'in' })))
  const atLan = await Capture.start(lan, 'trunk', { direction: 'in' })
  const senders = await Promise.all([lan, ...far].map((host) => ScapySender.start(host)))
  const send = (from: number, number: number, tags: string): Promise<void> | undefined =>
    senders[from]?.send(from === 0 ? 'trunk' : 'eth0', number, tags)

  const fromLan =
    '8100:10/5d, 8100:20, untagged, 8100:0, 8100:30, 8100:1, 8100:10 8100:20, 8100:20 8100:10, untagged'.split(
      ', ',
    )
  for (const [number, tags] of fromLan.entries()) await send(0, number, tags)
  await Promise.all(captures.map((capture, i) => capture.seen(i === 2 ? 3 : 2)))
  for (const i of BRIDGES) await send(i + 1, 10 + i, 'untagged')
  await send(3, 20, '8100:10') // which is another bridge's on the LAN
  await send(3, 21, 'untagged')
  await atLan.seen(4)

  expect(await Promise.all(captures.map(read))).toEqual([
    [
      { number: 0, tags: 'untagged' },
      { number: 6, tags: '8100:20' },
    ],
    [
      { number: 1, tags: 'untagged' },
      { number: 7, tags: '8100:10' },
    ],
    [
      { number: 2, tags: 'untagged' },
      { number: 3, tags: 'untagged' },
      { number: 8, tags: 'untagged' },
    ],
  ])
  expect(await read(atLan)).toEqual([
    { number: 10, tags: '8100:10' },
    { number: 11, tags: '8100:20' },
    { number: 12, tags: 'untagged' },
    { number: 21, tags: 'untagged' },
  ])
  const [local, ...remotes] = await agentPorts()
  expect(local?.inDrops).toEqual({ vlan: 2 })
  expect(remotes).toMatchObject([
    { bridge: 'private0', vlan: 10, active: true, inDrops: {} },
    { bridge: 'private1', vlan: 20, active: true, inDrops: {} },
    { bridge: 'private2', vlan: 0, active: true, inDrops: { vlan: 1 } },
  ])
})

it('carries TCP of two LANs with the same addresses at once, in super-frames that stay whole', async () => {
  const captures = await Promise.all(
    far.slice(0, 2).map((host) => Capture.start(host, 'eth0', { direction: 'in', snap: 64, filter: 'tcp' })),
  )
  const octets = 3_000_000
  await Promise.all(
    pcs.map(async (from, i) => {
      const to = far[i] ?? from
      await from.reaches(FAR_ADDRESS)
      await transfer({ kind: 'tcp', from, to, address: FAR_ADDRESS, octets })
      await transfer({ kind: 'tcp', from: to, to: from, address: PC_ADDRESS, octets })
    }),
  )
  for (const capture of captures) {
    await capture.stop()
    // On a slow way they are cut shorter, but not to the wire's 1514 octets.
    expect(Math.max(...frameLengths(capture.file))).toBeGreaterThan(1514)
  }
})

it('has a port of its own at each bridge, which it gets back without hurting its siblings', async () => {
  const before = await hubPorts()
  expect(before).toEqual(BRIDGES.map((i) => `private${i} 2 up`))
  agent.child.kill('SIGHUP')
  await agent.line(/^\{"type":"connected".*"reconnects":1/)
  expect(await hubPorts()).toEqual(before)
  for (const host of pcs) await host.reaches(FAR_ADDRESS)
})

it('does not start when one of the bridges is unknown', async () => {
  const { code, stderr } = await runHconnect(
    site,
    agentArguments(site, { hub, nic: 'lan', map: ['10=private0', '40=nosuch'] }),
  )
  expect(stderr).toContain('the hub has no bridge nosuch for you; you may join: private0, private1, private2')
  expect(code).toBe(EXIT_UNKNOWN_BRIDGE)
})
