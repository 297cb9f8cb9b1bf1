/**
 * `hconnect --driver pcap`: the interface `lan` of the site through libpcap, in a process of its own. What the lab PC
 * sends is finished by its kernel: a capture sees frames as the sender leaves them to its card.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 */
import {
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  EXIT_CARRIES_TUNNEL,
  EXIT_ENDED,
  EXIT_NO_NIC,
  EXIT_NO_PRIVILEGE,
  EXIT_OTHER,
} from '#agent/exit-codes.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Capture } from '#test/support/capture.ts'
import { carry, differences, type End } from '#test/support/flow-check.ts'
import { everyKind, everySize } from '#test/support/frame-kinds.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { nicSettings } from '#test/support/nic-settings.ts'
import { Ping } from '#test/support/ping.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { type Running, until } from '#test/support/process.ts'
import { quiet, reportsOf } from '#test/support/report.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS, buildSite, type Site } from '#test/support/site.ts'
import { transfer } from '#test/support/transfer.ts'

const ROOT = join(import.meta.dirname, '../..')
const SENDING = ['tx', 'tso', 'gso', 'tx-udp-segmentation']
const UID = 65_534
const NOBODY = ['--reuid', String(UID), '--regid', String(UID), '--clear-groups']

let lab: Lab
let site: Site
let hub: Hub
let pc: End
let far: End

beforeEach(async () => {
  lab = new Lab()
  site = buildSite(lab)
  site.pc.offloads('eth0', 'off', SENDING)
  pc = { at: site.pc, nic: 'eth0' }
  far = { at: site.far, nic: 'eth0' }
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

const start = (more: { json?: boolean; env?: NodeJS.ProcessEnv; args?: string[] } = {}): Promise<Running> => {
  const args = ['--driver', 'pcap', ...(more.args ?? [])]
  return startAgent(site.site, { ...more, hub, nic: 'lan', interval: 0.2, args })
}

/** The lab PC gets an answer of the far host. */
const expectReach = (): Promise<void> => site.pc.reaches(FAR_ADDRESS)

/** Runs `hconnect` to its end, as somebody or from somewhere else. */
const run = (command: readonly string[], nic: string, env: NodeJS.ProcessEnv = {}) =>
  site.site.run(
    'setpriv',
    [...command, ...agentArguments(site.site, { hub, nic, args: ['--driver', 'pcap'] })],
    { check: false, env },
  )

/** The process that captures, when there is one other than `not`. */
const childPid = (not = 0): Promise<number> =>
  until('the pcap process', () => site.site.pids().find((pid) => pid !== not && isChild(pid)))

function isChild(pid: number): boolean {
  try {
    const [, program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return program.endsWith('/hconnect-pcap.js') && args[0] === 'lan'
  } catch {
    return false // it ended meanwhile
  }
}

interface Drops {
  inDrops: Record<string, number>
  outDrops: Record<string, number>
}

/** Drops of the interface, as the last report has them; none before the first. */
function localDrops(agent: Running): Drops {
  const line = agent.lines.findLast((text) => text.startsWith('{"type":"report"'))
  if (line === undefined) return { inDrops: {}, outDrops: {} }
  const report: { ports: [Drops, Drops] } = JSON.parse(line)
  const [{ inDrops, outDrops }] = report.ports
  return { inDrops, outDrops }
}

describe('frames', () => {
  it('of every kind and size, under every stack of tags, pass unaltered and in order, both ways', async () => {
    for (const end of [pc, far]) end.at.ip('address', 'flush', 'dev', end.nic)
    for (const end of [pc, far]) end.at.ip('link', 'set', end.nic, 'mtu', '9216')
    await start({ args: ['--no-latency-control'] }) // which lets frames of one flow pass those of another
    const frames = [...everyKind(), ...everySize([60, 64, 1514, 1518, 1522, 9000, 9216])]
    for (const [from, to] of [
      [pc, far],
      [far, pc],
    ] as const) {
      const octets = frames.map(({ frame }) => frame)
      const { left, arrived } = await carry(from, to, octets)
      expect(differences(frames, left)).toEqual([])
      expect(differences(frames, arrived)).toEqual([])
    }
  })

  it('of TCP arrive with their content, both ways', async () => {
    await start()
    await expectReach()
    const up = { from: site.pc, to: site.far, address: FAR_ADDRESS }
    const down = { from: site.far, to: site.pc, address: PC_ADDRESS }
    for (const way of [up, down])
      expect(await transfer({ kind: 'tcp', octets: 4_000_000, ...way })).toBeGreaterThan(0)
  })

  it.each([true, false])('are counted exactly, json: %s', async (json) => {
    const agent = await start({ json })
    await agent.line(json ? /"type":"connected"/ : /^Port 0002/)
    const sizes = [14, 60, 64, 100, 1514]
    const up = sizes.map((length, seed) => makeFrame({ length, seed }))
    const down = sizes
      .slice(1)
      .map((length, seed) => makeFrame({ length, seed, source: '02:00:00:00:00:02' }))
    const atPc = await Capture.start(site.pc, 'eth0')
    const atFar = await Capture.start(site.far, 'eth0')
    for (let i = 0; i < 50; i++) await sendFrames(site.pc, 'eth0', up)
    await sendFrames(site.far, 'eth0', down)
    expect((await atPc.seen(254)).length).toBe(254)
    expect((await atFar.seen(254)).length).toBe(254)
    await quiet(agent)
    await agent.stop()
    const [local] = reportsOf(agent.lines).at(-1) ?? []
    expect(local).toEqual({ in: { frames: 250, octets: 87_600 }, out: { frames: 4, octets: 1738 } })
  })

  it('that the sender left to its card to cut are counted as too big, and small ones pass', async () => {
    site.pc.offloads('eth0', 'on', SENDING)
    const agent = await start({ json: true })
    await expectReach()
    const octets = 1_000_000
    const sending = transfer({
      kind: 'udp-segments',
      from: site.pc,
      to: site.far,
      address: FAR_ADDRESS,
      octets,
    })
    sending.catch(() => {}) // nothing arrives
    expect(await until('frames too big', () => localDrops(agent).inDrops['too-big'])).toBeGreaterThan(0)
    await expectReach()
  })
})

describe('the interface', () => {
  it('is deleted and made again: this is said, and traffic resumes', async () => {
    const agent = await start()
    await expectReach()
    site.site.ip('link', 'delete', 'lan')
    await agent.line(/lan: interface is gone/)
    const from = agent.lines.length
    lab.link(site.pc, 'eth0', site.site, 'lan')
    site.pc.offloads('eth0', 'off', SENDING)
    site.pc.address('eth0', `${PC_ADDRESS}/24`)
    for (const host of [site.pc, site.far]) host.ip('neighbour', 'flush', 'dev', 'eth0')
    await agent.line(/lan: interface is up/, { from })
    await expectReach()
    expect(site.site.state('lan')).toMatchObject({ mtu: 9216, promiscuity: 1 })
  })

  it('goes down and up: this is said, and traffic resumes', async () => {
    const agent = await start()
    site.site.ip('link', 'set', 'lan', 'down')
    await agent.line(/lan: interface is down/)
    const from = agent.lines.length
    site.site.ip('link', 'set', 'lan', 'up')
    await agent.line(/lan: interface is up/, { from })
    await expectReach()
  })

  it('is another one, which can be opened only later: it is made fit then', async () => {
    const agent = await start()
    site.site.ip('link', 'delete', 'lan')
    await agent.line(/lan: interface is gone/)
    const from = agent.lines.length
    lab.link(site.pc, 'eth0', site.site, 'below', { mtu: 9216 })
    const { address } = site.site.state('below')
    const over = ['link', 'add', 'link', 'below', 'name', 'lan', 'mtu', '1500', 'address', address]
    site.site.ip(...over, 'type', 'macvlan')
    // Two interfaces of one address do not come up together.
    await agent.line(/: cannot bring lan up: /, { from })
    site.site.ip('link', 'set', 'below', 'address', '06:00:00:00:00:07')
    await agent.line(/lan: interface is up/, { from })
    expect(site.site.state('lan')).toMatchObject({ mtu: 9216, promiscuity: 1 })
    await agent.stop()
    expect(site.site.state('lan')).toMatchObject({ mtu: 1500, promiscuity: 0 })
  })

  it('is called something else and another one takes its name: each gets its settings back', async () => {
    lab.link(site.pc, 'eth1', site.site, 'other')
    const before = ['lan', 'other'].map((nic) => nicSettings(site.site, nic))
    const agent = await start()
    await expectReach()
    site.site.ip('link', 'set', 'lan', 'name', 'old')
    await agent.line(/lan: interface is gone/)
    const from = agent.lines.length
    site.site.ip('link', 'set', 'other', 'name', 'lan')
    await agent.line(/lan: interface is up/, { from })
    expect(site.site.state('lan').mtu).toBe(9216)
    expect(nicSettings(site.site, 'old')).toEqual(before[0])
    await agent.stop()
    expect(nicSettings(site.site, 'lan')).toEqual(before[1])
    expect(site.site.nicRecords()).toEqual([])
  })

  it('gets its settings back', async () => {
    site.site.offloads('lan', 'on', ['gro'])
    site.site.ip('link', 'set', 'lan', 'down')
    const settings = (): object => {
      const { mtu, promiscuity, operstate } = site.site.state('lan')
      return { mtu, promiscuity, operstate, features: site.site.exec('ethtool', '-k', 'lan') }
    }
    const before = settings()
    const agent = await start()
    const features: string = site.site.exec('ethtool', '-k', 'lan')
    expect(site.site.state('lan')).toMatchObject({ mtu: 9216, promiscuity: 1, operstate: 'UP' })
    expect(features).toMatch(/^tcp-segmentation-offload: off$/m)
    expect(features).toMatch(/^generic-receive-offload: off$/m)
    expect((await agent.stop()).code).toBe(EXIT_ENDED)
    expect(settings()).toEqual(before)
    expect(site.site.pids()).toEqual([])
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'gets its settings back after %s while its process is started',
    async (signal) => {
      site.site.ip('link', 'set', 'lan', 'down')
      const before = nicSettings(site.site, 'lan')
      const args = agentArguments(site.site, { hub, nic: 'lan', args: ['--driver', 'pcap'] })
      const agent = site.site.spawn(process.execPath, [AGENT_COMMAND, ...args])
      await until('the MTU', () => site.site.state('lan').mtu === 9216)
      agent.child.kill('SIGHUP') // there is no connection yet that it could mean
      const { code, stdout } = await agent.stop(signal)
      expect({ code, stdout }).toEqual({ code: EXIT_ENDED, stdout: expect.not.stringContaining('Port 0001') })
      expect(nicSettings(site.site, 'lan')).toEqual(before)
    },
  )

  it.each([
    [
      'that does not exist',
      'missing0',
      [],
      EXIT_NO_NIC,
      /^hconnect: cannot open missing0: no such device \(/m,
    ],
    [
      'without privilege',
      'lan',
      NOBODY,
      EXIT_NO_PRIVILEGE,
      /^hconnect: cannot open lan: .*not permitted \(/m,
    ],
  ] as const)('%s is refused', async (_what, nic, user, exitCode, says) => {
    chownSync(hub.identity, UID, UID)
    const { code, stderr } = await run([...user, process.execPath, AGENT_COMMAND], nic, {
      HOME: '/nonexistent',
    })
    expect(stderr).toMatch(says)
    expect(code).toBe(exitCode)
  })

  it('that carries the tunnel is refused by its alternative name', async () => {
    site.site.ip('link', 'property', 'add', 'dev', 'wan', 'altname', 'wan-alt')
    const { code, stderr } = await run([process.execPath, AGENT_COMMAND], 'wan-alt')
    expect(stderr).toMatch(/^hconnect: wan carries the connection to the hub /m)
    expect(code).toBe(EXIT_CARRIES_TUNNEL)
  })
})

describe('the process', () => {
  it('is started again when it is killed, and what was lost is counted', async () => {
    const agent = await start({ json: true })
    const ping = await Ping.start(site.far, PC_ADDRESS, 0.01)
    const pid = await childPid()
    process.kill(pid, 'SIGKILL')
    await agent.line(/lan: its process ended \(SIGKILL\)/)
    await agent.line(/lan: interface is up/)
    expect(await childPid(pid)).not.toBe(pid)
    expect((await ping.lost()).length).toBeGreaterThan(0)
    ping.stop()
    await agent.line(/"type":"report"/, { from: agent.lines.length })
    expect(localDrops(agent).outDrops['link-down']).toBeGreaterThan(0)
  })

  it('is gone within a second when the agent is killed, and promiscuous mode with it', async () => {
    const agent = await start()
    const pid = await childPid()
    expect(site.site.state('lan').promiscuity).toBe(1)
    const killed = performance.now()
    agent.child.kill('SIGKILL')
    await until('the end', () => !isChild(pid) && site.site.state('lan').promiscuity === 0)
    expect(performance.now() - killed).toBeLessThan(2000) // a second, asserted at twice that
    expect(site.site.pids()).toEqual([])
  })

  it('has none of the secrets and connections of the agent', async () => {
    await start({ env: { HCONNECT_PASSWORD: 'hidden', SECRET_TOKEN: 'hidden' } })
    const pid = await childPid()
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    expect(environment.split('\0').map((entry) => entry.split('=', 1)[0])).toEqual(['PATH', ''])
    const tcp = site.site.exec('cat', '/proc/net/tcp', '/proc/net/tcp6')
    const inodes = readdirSync(`/proc/${pid}/fd`)
      .map((fd) => /^socket:\[(\d+)\]$/.exec(readlink(`/proc/${pid}/fd/${fd}`))?.[1])
      .filter((inode) => inode !== undefined)
    expect(inodes.length).toBeGreaterThan(0)
    expect(inodes.filter((inode) => tcp.includes(` ${inode} `))).toEqual([])
  })

  it('runs from source, too', async () => {
    const args = agentArguments(site.site, { hub, nic: 'lan', args: ['--driver', 'pcap'] })
    const agent = site.site.spawn(
      process.execPath,
      ['--import', 'tsx', join(ROOT, 'agent/main.ts'), ...args],
      {
        cwd: ROOT,
      },
    )
    await agent.line(/^Port 0002/, { deadlineMs: 15_000 })
    await expectReach()
  })
})

describe('a system', () => {
  it('without the package is told what to install', async () => {
    const product = join(lab.directory, 'product')
    mkdirSync(join(product, 'node_modules'), { recursive: true })
    cpSync(dirname(AGENT_COMMAND), join(product, 'dist'), { recursive: true })
    cpSync(join(ROOT, 'package.json'), join(product, 'package.json'))
    for (const name of readdirSync(join(ROOT, 'node_modules')))
      if (name !== 'cap') symlinkSync(join(ROOT, 'node_modules', name), join(product, 'node_modules', name))
    const before = site.site.ip('-d', 'link', 'show')
    const { code, stderr } = await run([process.execPath, join(product, 'dist/hconnect.js')], 'lan')
    const said = stderr.trimEnd().split('\n').at(-1)
    expect(said).toMatch(/^hconnect: cannot open lan: the driver pcap needs the package cap, .*libpcap-dev/)
    expect(code).toBe(EXIT_OTHER)
    expect(site.site.ip('-d', 'link', 'show')).toBe(before)
  })

  it('that is not Linux is bridged by libpcap without being asked to, and without the C library', async () => {
    // The agent takes its system for another one as soon as koffi, which has a binary for each, is loaded.
    const preload = join(lab.directory, 'other-system.mjs')
    const koffi = join(ROOT, 'node_modules/koffi/index.js')
    writeFileSync(
      preload,
      `import '${koffi}'\nObject.defineProperty(process, 'platform', { value: 'freebsd' })\n`,
    )
    const env = { NODE_OPTIONS: `--import ${preload}` }
    const agent = await startAgent(site.site, { hub, nic: 'lan', interval: 0.2, env })
    await expectReach()
    await transfer({ kind: 'tcp', from: site.far, to: site.pc, address: PC_ADDRESS, octets: 1_000_000 })
    expect(site.site.state('lan').mtu).toBe(1500) // nothing was changed
    process.kill(await childPid(), 'SIGKILL')
    await agent.line(/lan: its process ended \(SIGKILL\)/)
    await agent.line(/lan: interface is up/)
    await expectReach()
  })
})

function readlink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed meanwhile
  }
}
