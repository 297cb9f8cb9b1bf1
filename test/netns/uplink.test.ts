/**
 * A site machine with one interface, which carries the tunnel and is bridged (`--allow-uplink`). The hub has several
 * addresses; 10.97.0.2 and fd00:97::2 are behind a hop. The agent knows it as hub.lab.
 *
 *   [pc eth0]---[pc  lan  hub]---[wan  hub  lan]---[eth0 far]
 *   10.99.0.1      (bridge)      10.98.0.2       10.99.0.2
 *                   site         fd00:98::2
 *                    |
 *                 [eth0 site]  10.98.0.1, fd00:98::1, hconnect
 */
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_CARRIES_TUNNEL } from '#agent/exit-codes.ts'
import { Capture } from '#test/support/capture.ts'
import { sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { until, type Running } from '#test/support/process.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { transfer } from '#test/support/transfer.ts'
import { packet, type PacketFields, UDP } from '#test/support/tunnel-packets.ts'

const PC = '10.99.0.1'
const FAR = '10.99.0.2'
const OWN = { 4: '10.98.0.1', 6: 'fd00:98::1' }
const PORT = 2222
const BULK = 20 << 20
/** Source of frames that the test itself makes. */
const MADE = '02:00:00:00:00:0a'

let lab: Lab
let pc: Namespace
let lan: Namespace
let site: Namespace
let hubHost: Namespace
let far: Namespace
let hub: Hub
let agent: Running
let etc: string

beforeEach(async () => {
  lab = new Lab()
  ;[pc, lan, site, hubHost, far] = [
    lab.namespace('pc'),
    lab.namespace('lan'),
    lab.namespace('site'),
    lab.namespace('hub'),
    lab.namespace('far'),
  ]
  lab.link(pc, 'eth0', lan, 'pc')
  lab.link(hubHost, 'wan', lan, 'hub')
  lab.link(hubHost, 'lan', far, 'eth0')
  lan.bridge('br0', ['pc', 'hub'])
  pc.address('eth0', `${PC}/24`)
  far.address('eth0', `${FAR}/24`)
  hubHost.address('wan', '10.98.0.2/24')
  hubHost.address('wan', 'fd00:98::2/64')
  hubHost.address('lo', '10.97.0.2/32')
  hubHost.address('lo', 'fd00:97::2/128')
  plugIn()
  etc = `/etc/netns/${site.name}`
  mkdirSync(etc, { recursive: true })
  name('10.98.0.2')
  hub = await Hub.start(hubHost, { address: '[::]', attach: ['private0=nic:lan'] })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  rmSync(etc, { recursive: true, force: true })
  if (readdirSync('/etc/netns').length === 0) rmdirSync('/etc/netns')
  lab.close()
})

/** The site machine's only cable. */
function plugIn(): void {
  lab.link(site, 'eth0', lan, 'site')
  lan.ip('link', 'set', 'site', 'master', 'br0')
  site.address('eth0', `${OWN[4]}/24`)
  site.address('eth0', `${OWN[6]}/64`)
  site.ip('route', 'add', '10.97.0.2', 'via', '10.98.0.2')
  site.ip('route', 'add', 'fd00:97::2', 'via', 'fd00:98::2')
}

/** What hub.lab stands for from now on. In place: the namespace sees this very file as its /etc/hosts. */
const name = (address: string): void =>
  writeFileSync(join(etc, 'hosts'), `127.0.0.1 localhost\n${address} hub.lab\n`)

function hconnect(...more: string[]): Running {
  const keys = ['--identity', hub.identity, '--known-hosts', join(lab.directory, 'known'), '--accept-new']
  const args = ['-u', 'ann', '-b', 'private0', '-s', `hub.lab:${PORT}`, '-n', 'eth0', ...keys, ...more]
  return site.spawn(process.execPath, [AGENT_COMMAND, ...args, '--json', '--interval', '0.2'], {
    env: { HOME: lab.directory, XDG_CONFIG_HOME: lab.directory, SSH_AUTH_SOCK: '' },
  })
}

/** Waits for a connection that is made from now on. */
const connected = async (address: string, from = 0): Promise<void> =>
  void (await agent.line(new RegExp(`"type":"connected".*"address":"${address}"`), {
    from,
    deadlineMs: 20_000,
  }))

async function bridge(address = '10.98.0.2'): Promise<void> {
  name(address)
  agent = hconnect('--allow-uplink')
  await connected(address)
  await pc.reaches(FAR)
}

interface Reading {
  inFrames: number
  inOctets: number
  outOctets: number
  outDrops: Record<string, number>
}

/** What the agent reports next: of the LAN, of the tunnel. */
async function nextReport(): Promise<{ local: Reading; remote: Reading }> {
  const [line] = await agent.line(/^\{"type":"report".*/, { from: agent.lines.length })
  const { ports }: { ports: [Reading, Reading] } = JSON.parse(line)
  return { local: ports[0], remote: ports[1] }
}

/** Packets of any tunnel, behind any one or two tags too. */
const TUNNEL = `port ${PORT} or (vlan and (port ${PORT} or (vlan and port ${PORT})))`

/**
 * Bulk traffic both ways between the lab PC and the far host.
 * @returns the octets that the tunnel carried meanwhile towards the hub, and from it
 */
async function bulk(): Promise<{ sent: number; received: number }> {
  const { remote: before } = await nextReport()
  await transfer({ kind: 'tcp', from: pc, to: far, address: FAR, octets: BULK })
  const { remote: between } = await nextReport()
  await transfer({ kind: 'tcp', from: far, to: pc, address: PC, octets: BULK })
  const { remote: after } = await nextReport()
  expect(between.outOctets - before.outOctets).toBeGreaterThan(BULK)
  expect(between.inOctets - before.inOctets).toBeLessThan(BULK / 10)
  expect(after.outOctets - between.outOctets).toBeLessThan(BULK / 10)
  return { sent: after.outOctets - before.outOctets, received: after.inOctets - before.inOctets }
}

/** Bulk traffic crosses the tunnel once, and none of the tunnel's own packets come out at its far end. */
async function expectNoLoop(): Promise<void> {
  const capture = await Capture.start(far, 'eth0', { filter: TUNNEL, snap: 96 })
  const { sent, received } = await bulk()
  expect(sent).toBeLessThan(BULK * 1.15)
  expect(received).toBeLessThan(BULK * 1.15)
  expect(await capture.stop()).toEqual([])
}

const C: readonly [number, number] = [0x8100, 10]
const S: readonly [number, number] = [0x88a8, 100]
const STACKS = [[], [C], [S], [S, C], [S, S, C, C]]

const make = (fields: PacketFields): Buffer =>
  packet({ ...fields, source: MADE, destination: '02:00:00:00:00:0b' })

const hex = (frames: readonly Buffer[]): string[] => frames.map((frame) => frame.toString('hex'))

/** Packets as the tunnel's own, from and to the hub, in every form; and packets that only look like them. */
function lookalikes(own: string, hubAddress: string): { kept: Buffer[]; passed: Buffer[] } {
  const toHub: PacketFields = { from: own, fromPort: 40_000, to: hubAddress, toPort: PORT }
  const fromHub: PacketFields = { from: hubAddress, fromPort: PORT, to: own, toPort: 40_000 }
  const stranger = own.includes(':') ? 'fd00:98::7' : '10.98.0.7'
  const kept: PacketFields[] = []
  const passed: PacketFields[] = []
  for (const tags of STACKS)
    for (const way of [toHub, fromHub]) {
      kept.push({ ...way, tags }, { ...way, tags, fragment: 0 }, { ...way, tags, fragment: 100 })
      passed.push({ ...way, tags, protocol: UDP })
      passed.push({ ...way, tags, fromPort: way.toPort, toPort: way.fromPort })
    }
  if (!own.includes(':')) kept.push({ ...toHub, options: 3 }, { ...fromHub, options: 10, tags: [C] })
  passed.push(
    { ...toHub, to: stranger },
    { ...toHub, from: stranger },
    { ...fromHub, to: stranger, tags: [C] },
  )
  return { kept: kept.map(make), passed: passed.map(make) }
}

/** Sends both kinds mixed from one host; the other sees the ones that pass, in order, and no other. */
async function expectSieve(from: Namespace, to: Namespace, own: string, hubAddress: string): Promise<number> {
  const { kept, passed } = lookalikes(own, hubAddress)
  const mixed = kept.flatMap((frame, i) => [frame, passed[i]]).filter((frame) => frame !== undefined)
  const last = passed.slice(kept.length)
  const end = make({ from: PC, fromPort: 1, to: FAR, toPort: 1 })
  const capture = await Capture.start(to, 'eth0', { direction: 'in', filter: `ether src ${MADE}` })
  await sendFrames(from, 'eth0', [...mixed, ...last, end], 200)
  await until('the last frame', () => capture.frames().some((frame) => frame.equals(end)))
  expect(hex(await capture.stop())).toEqual(hex([...passed, end]))
  return kept.length
}

/** Frames of either side that belong to the tunnel's connection go no further; those of the far side are counted. */
async function expectSieveBothWays(own: string, hubAddress: string): Promise<void> {
  const { local: before } = await nextReport()
  await expectSieve(pc, far, own, hubAddress)
  const kept = await expectSieve(far, pc, own, hubAddress)
  const { local: after } = await nextReport()
  expect((after.outDrops['tunnel'] ?? 0) - (before.outDrops['tunnel'] ?? 0)).toBe(kept)
}

it('is refused without the option, which the message names', async () => {
  agent = hconnect()
  const { code, stderr } = await agent.exited
  expect(code).toBe(EXIT_CARRIES_TUNNEL)
  expect(stderr).toMatch(/eth0 carries the connection to the hub \(10\.98\.0\.2\).*-n NIC.*--allow-uplink/)
})

describe.each([
  { address: '10.98.0.2', own: OWN[4] },
  { address: '10.97.0.2', own: OWN[4] },
  { address: 'fd00:98::2', own: OWN[6] },
  { address: 'fd00:97::2', own: OWN[6] },
])('with the hub at $address', ({ address, own }) => {
  it('bridges the LAN without the tunnel itself, whose packets go no further from either side', async () => {
    await bridge(address)
    await expectNoLoop()
    await expectSieveBothWays(own, address)
  })
})

describe('the machine itself', () => {
  it('keeps its interface as it was, its addresses work, and what it is sent stays out of the tunnel', async () => {
    const settings = (): object => {
      const { mtu, operstate } = site.state('eth0')
      return { mtu, operstate, addresses: site.ip('-br', 'address', 'show', 'dev', 'eth0') }
    }
    const before = settings()
    await bridge()
    expect(settings()).toEqual(before)
    site.ip('neighbour', 'flush', 'dev', 'eth0')
    await site.reaches('10.98.0.2', 2)
    await hubHost.reaches(OWN[6], 2)
    const { local } = await nextReport()
    await hubHost.run('ping', ['-q', '-c', '300', '-i', '0.002', '-s', '1000', OWN[4]])
    expect((await nextReport()).local.inFrames - local.inFrames).toBeLessThan(20)
    await agent.stop()
    expect(settings()).toEqual(before)
    expect(site.state('eth0').promiscuity).toBe(0)
  })
})

describe('when the way to the hub changes', () => {
  it('keeps the old and the new connection out, to another address and another family', async () => {
    await bridge()
    const ping = await Ping.start(pc, FAR)
    const capture = await Capture.start(far, 'eth0', { filter: TUNNEL, snap: 96 })
    for (const address of ['10.97.0.2', 'fd00:98::2', '10.98.0.2', 'fd00:97::2']) {
      const from = agent.lines.length
      name(address)
      agent.child.kill('SIGHUP')
      await connected(address, from)
      await ping.answered()
    }
    expect(await capture.stop()).toEqual([])
    ping.stop()
    await expectSieve(pc, far, OWN[6], 'fd00:97::2')
    await expectSieve(pc, far, OWN[4], '10.97.0.2')
    await expectNoLoop()
  })

  it('keeps the connection out after the interface was deleted and made again, with another address', async () => {
    await bridge()
    const from = agent.lines.length
    site.ip('link', 'delete', 'eth0')
    await agent.line(/eth0: interface is gone/)
    plugIn()
    site.ip('address', 'delete', `${OWN[4]}/24`, 'dev', 'eth0')
    site.address('eth0', '10.98.0.9/24')
    await connected('10.98.0.2', from)
    await pc.reaches(FAR)
    await expectNoLoop()
    await expectSieveBothWays('10.98.0.9', '10.98.0.2')
  })
})
