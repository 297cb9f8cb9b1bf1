/**
 * The counters of agent and hub are what tcpdump counts on the wire, to the frame and octet. The interfaces named
 * `lan` cut super-frames before the cable, so that the receiving host sees wire frames while our ports carry
 * super-frames. The laboratory is silent: neighbours are known, nothing runs by itself.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *    tcpdump       hconnect           (bridge)           hybridge         tcpdump
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAgent } from '#test/support/agent.ts'
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { frameLengths } from '#test/support/pcap-lengths.ts'
import type { Running } from '#test/support/process.ts'
import { type Figures, figuresOf, type PortFigures, quiet, reportsOf } from '#test/support/report.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS, buildSite, type Site } from '#test/support/site.ts'
import { transfer } from '#test/support/transfer.ts'

type Host = 'pc' | 'far'
const ADDRESSES = { pc: [PC_ADDRESS, 'fd99::1'], far: [FAR_ADDRESS, 'fd99::2'] } as const
/** Source of frames that no host sends by itself. */
const STRANGER = '02:00:00:00:00:02'
const INTERVAL = 0.2

let lab: Lab
let site: Site
let hub: Hub

beforeEach(async () => {
  lab = new Lab()
  site = buildSite(lab)
  for (const machine of [site.site, site.hub])
    machine.offloads('lan', 'off', ['tso', 'gso', 'tx-udp-segmentation'])
  know('pc', 'far')
  know('far', 'pc')
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

/**
 * Gives a host its IPv6 address, and the other one as a neighbour for good. The address is on the loopback interface:
 * on `eth0` it would be in a multicast group, which MLD reports.
 */
function know(here: Host, there: Host): void {
  const host = site[here]
  host.sysctl({ 'net.ipv6.conf.eth0.disable_ipv6': 0 })
  host.address('lo', `${ADDRESSES[here][1]}/128`)
  host.ip('route', 'add', ADDRESSES[there][1], 'dev', 'eth0', 'src', ADDRESSES[here][1])
  const mac = site[there].state('eth0').address
  for (const address of ADDRESSES[there])
    host.ip('neighbour', 'add', address, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent')
}

/** What crossed a host's interface: from the wire, and to it. */
interface Seen extends PortFigures {
  longestOut: number
}

function seenBy(host: Host, capture: Capture): Seen {
  const own = site[host].state('eth0').address.replaceAll(':', '')
  const seen = { in: { frames: 0, octets: 0 }, out: { frames: 0, octets: 0 }, longestOut: 0 }
  const lengths = frameLengths(capture.file)
  capture.frames().forEach((frame, i) => {
    const length = lengths[i] ?? 0
    const isOut = frame.toString('hex', 6, 12) === own
    const figures = isOut ? seen.out : seen.in
    figures.frames++
    figures.octets += length
    if (isOut) seen.longestOut = Math.max(seen.longestOut, length)
  })
  return seen
}

/** Runs traffic between captures. @returns what the hosts saw, when nothing is on its way any more */
async function watched(agent: Running, traffic: () => Promise<void>): Promise<{ pc: Seen; far: Seen }> {
  const atPc = await Capture.start(site.pc, 'eth0', { snap: 64 })
  const atFar = await Capture.start(site.far, 'eth0', { snap: 64 })
  await traffic()
  await quiet(agent)
  await atPc.stop()
  await atFar.stop()
  return { pc: seenBy('pc', atPc), far: seenBy('far', atFar) }
}

interface HubPort {
  name: string
  counters: Parameters<typeof figuresOf>[0]
}

/** Figures of the hub's two ports: the one of the interface and the tunnel's. */
async function hubFigures(): Promise<{ nic: PortFigures; tunnel: PortFigures }> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: HubPort[] = JSON.parse(stdout)
  const find = (start: string): PortFigures => {
    const port = ports.find(({ name }) => name.startsWith(start))
    if (!port) throw new Error(`no port ${start}: ${stdout}`)
    return figuresOf(port.counters)
  }
  expect(ports.length).toBe(2)
  return { nic: find('nic:lan'), tunnel: find('tunnel:ann@') }
}

/** Every counter of both sides is one of the two figures: what arrived at the far host, and at the lab PC. */
async function expectFigures(agent: Running, atFar: Figures, atPc: Figures): Promise<void> {
  const hubPorts = await hubFigures()
  await agent.stop('SIGTERM')
  const [local, remote] = reportsOf(agent.lines).at(-1) ?? []
  expect({ local, remote, ...hubPorts }).toEqual({
    local: { in: atFar, out: atPc },
    remote: { in: atPc, out: atFar },
    nic: { in: atPc, out: atFar },
    tunnel: { in: atFar, out: atPc },
  })
}

/** One kind of transfer over IPv4 and IPv6, both ways. */
async function transferBothWays(kind: 'tcp' | 'udp' | 'udp-segments', octets: number): Promise<void> {
  const { pc, far } = site
  for (const address of ADDRESSES.far) await transfer({ kind, from: pc, to: far, address, octets })
  for (const address of ADDRESSES.pc) await transfer({ kind, from: far, to: pc, address, octets })
}

describe('pkts and bytes', () => {
  it.each([
    ['tcp', 3_000_000],
    ['udp', 100_000],
    ['udp-segments', 1_000_000],
  ] as const)('equal what tcpdump counts at the receiving host: %s', async (kind, octets) => {
    const agent = await startAgent(site.site, { hub, nic: 'lan', interval: INTERVAL, json: true })
    const { pc, far } = await watched(agent, () => transferBothWays(kind, octets))
    // Our ports took super-frames, except where there was nothing to merge.
    expect([pc.longestOut > 1514, far.longestOut > 1514]).toEqual(Array(2).fill(kind !== 'udp'))
    await expectFigures(agent, far.in, pc.in)
  })

  it('equal it in the report for people too', async () => {
    const agent = await startAgent(site.site, { hub, nic: 'lan', interval: INTERVAL })
    const { pc, far } = await watched(agent, () => transferBothWays('tcp', 1_000_000))
    await expectFigures(agent, far.in, pc.in)
  })

  it.each([true, false])(
    'count frames of every size by their octets, tags included, json: %s',
    async (json) => {
      const agent = await startAgent(site.site, { hub, nic: 'lan', interval: INTERVAL, json })
      const sizes = [14, 60, 64, 100, 1514]
      const up = sizes.map((length, seed) => makeFrame({ length, seed }))
      const tags = [[0x8100, 7]] as const
      const down = sizes
        .slice(1)
        .map((length, seed) => makeFrame({ length: length + 4, seed, tags, source: STRANGER }))
      const atPc = await Capture.start(site.pc, 'eth0')
      const atFar = await Capture.start(site.far, 'eth0')
      await sendFrames(site.pc, 'eth0', up)
      await sendFrames(site.far, 'eth0', down)
      const all = up.length + down.length
      expect((await atPc.seen(all)).length).toBe(all)
      expect((await atFar.seen(all)).length).toBe(all)
      await quiet(agent)
      await expectFigures(agent, { frames: 5, octets: 1752 }, { frames: 4, octets: 1754 })
    },
  )
})
