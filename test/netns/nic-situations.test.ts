/**
 * What happens to the bridged interface `lan` while the agent runs, and what is around it when the agent starts.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { nicSettings } from '#test/support/nic-settings.ts'
import { type Running, until } from '#test/support/process.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS, buildSite, type Site } from '#test/support/site.ts'
import { transfer } from '#test/support/transfer.ts'

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

const start = (args: string[] = []): Promise<Running> =>
  startAgent(site.site, { hub, nic: 'lan', interval: 0.2, args })

const startJson = (): Promise<Running> =>
  startAgent(site.site, { hub, nic: 'lan', interval: 0.2, json: true })

/** Starts the agent where `script`, a shell's, has been run in a mount and process namespace of its own. */
async function startWhere(script: string): Promise<Running> {
  const apart = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c']
  const shell = `${script}\n"$0" "$@" & child=$!; trap 'kill $child' TERM; wait; wait`
  const command = [AGENT_COMMAND, ...agentArguments(site.site, { hub, nic: 'lan', interval: 0.2 })]
  const agent = site.site.spawn('unshare', [...apart, shell, process.execPath, ...command])
  await agent.line(/^Port 0002/)
  return agent
}

const indexOf = (nic: string): string => site.site.exec('cat', `/sys/class/net/${nic}/ifindex`).trim()

const tagged = (length: number): Buffer => makeFrame({ length, tags: [[0x8100, 5]] })

/** The lab PC gets an answer of the far host. */
const expectReach = (): Promise<void> => site.pc.reaches(FAR_ADDRESS)

/** Lines of the agent about the interface, without what goes before them. */
const said = (agent: Running): string[] =>
  agent.stderr.split('\n').flatMap((line) => /^hconnect: .{24}: (.*lan.*)$/.exec(line)?.[1] ?? [])

describe('The interface, while it is bridged,', () => {
  it('is called something else: this is said, and it is bridged on and restored', async () => {
    const before = nicSettings(site.site, 'lan')
    const agent = await start()
    await expectReach()
    site.site.ip('link', 'set', 'lan', 'down')
    site.site.ip('link', 'set', 'lan', 'name', 'lan.new')
    site.site.ip('link', 'set', 'lan.new', 'up')
    await agent.line(/: lan is called lan\.new now$/)
    await expectReach()
    site.site.ip('link', 'set', 'lan.new', 'mtu', '2000')
    site.site.ip('link', 'set', 'lan.new', 'mtu', '9216')
    await expectReach()
    await agent.stop()
    expect(nicSettings(site.site, 'lan.new')).toEqual(before)
  })

  it('is away for so short that nobody saw it, and has its old index again: it is bridged on', async () => {
    const before = nicSettings(site.site, 'lan')
    const agent = await start()
    await expectReach()
    const index = indexOf('lan')
    const away = lab.namespace('away')
    agent.child.kill('SIGSTOP')
    site.site.ip('link', 'set', 'lan', 'netns', away.name)
    away.ip('link', 'set', 'lan', 'netns', site.site.name)
    expect(indexOf('lan')).toBe(index)
    agent.child.kill('SIGCONT')
    await expectReach()
    await agent.stop()
    expect({ ...nicSettings(site.site, 'lan'), isUp: true }).toEqual(before)
  })

  it('gets a lower and a higher MTU: longer frames to it are counted too-big, the others pass', async () => {
    const agent = await startJson()
    await expectReach()
    for (const machine of [site.pc, site.far]) machine.ip('link', 'set', 'eth0', 'mtu', '9216')
    const atPc = await Capture.start(site.pc, 'eth0', { filter: 'ether proto 0x88b5', direction: 'in' })
    const sizes = [60, 1214, 1218, 1222, 9000].map((length) => makeFrame({ length }))
    const twice = [...sizes, tagged(1214), tagged(1218), tagged(1219)]
    site.site.ip('link', 'set', 'lan', 'mtu', '1200')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await sendFrames(site.far, 'eth0', twice, 2000)
    await until('4 drops', () => /"outDrops":\{"too-big":4\}/.test(agent.lines.at(-1) ?? ''))
    await agent.line(
      /: lan: frames of up to \d{4} octets did not pass to the LAN, as with its MTU of 1200 .*--mtu/,
    )
    site.site.ip('link', 'set', 'lan', 'mtu', '9216')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await sendFrames(site.far, 'eth0', sizes, 2000)
    const frames = await atPc.seen(4 + sizes.length)
    await atPc.stop()
    expect(frames.map((frame) => frame.length)).toEqual([60, 1214, 1214, 1218, ...sizes.map((f) => f.length)])
  })

  it('gets super-frames whose segments are longer than its MTU: they are counted too-big', async () => {
    const agent = await startJson()
    await expectReach()
    for (const machine of [site.pc, site.far]) machine.ip('link', 'set', 'eth0', 'mtu', '1504')
    site.site.ip('link', 'set', 'lan', 'mtu', '1500')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const long = await Capture.start(site.pc, 'eth0', { filter: 'greater 1515', direction: 'in', snap: 64 })
    const receiver = site.pc.spawn('iperf3', ['-s', '-1'])
    await site.pc.listening(5201)
    const sender = site.far.spawn('iperf3', ['-c', PC_ADDRESS, '-n', '1M'])
    await agent.line(/"outDrops":\{"too-big":\d+\}/)
    await sender.stop()
    await receiver.stop()
    expect(await long.stop()).toEqual([])
  })

  it('has its offloads toggled: a transfer over it goes on, unaltered', { timeout: 60_000 }, async () => {
    const agent = await start()
    await expectReach()
    let toggles = 0
    const names = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro', 'rx-gro-list', 'rx-udp-gro-forwarding']
    const toggle = (): void => {
      const [here, there] = toggles++ % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)
      for (const machine of [site.site, site.hub]) machine.offloads('lan', here, names)
      for (const machine of [site.pc, site.far]) machine.offloads('eth0', there)
    }
    const timer = setInterval(toggle, 100)
    try {
      for (let round = 0; round < 2; round++) {
        await transfer({ kind: 'tcp', from: site.pc, to: site.far, address: FAR_ADDRESS, octets: 20_000_000 })
        await transfer({ kind: 'tcp', from: site.far, to: site.pc, address: PC_ADDRESS, octets: 20_000_000 })
      }
    } finally {
      clearInterval(timer)
    }
    expect(toggles).toBeGreaterThan(10)
    expect(agent.alive).toBe(true)
    await expectReach()
  })

  it('is told to be promiscuous no more: frames to foreign addresses still arrive', async () => {
    const agent = await start()
    await expectReach()
    site.site.ip('link', 'set', 'lan', 'promisc', 'on')
    site.site.ip('link', 'set', 'lan', 'promisc', 'off')
    const atFar = await Capture.start(site.far, 'eth0', { filter: 'ether proto 0x88b5' })
    const frames = [1, 2, 3].map((seed) => makeFrame({ destination: '02:00:00:00:00:77', length: 100, seed }))
    await sendFrames(site.pc, 'eth0', frames)
    await atFar.seen(frames.length)
    expect(await atFar.stop()).toEqual(frames)
    await agent.stop()
    expect(site.site.state('lan').promiscuity).toBe(0)
  })

  it('becomes a port of a bridge: this is said with the remedy, and it is bridged on', async () => {
    const agent = await start()
    site.site.bridge('br9', ['lan'])
    await agent.line(/: lan is a port of br9, .*ip link set lan nomaster, or bridge br9$/)
    await expectReach()
  })

  it('loses its carrier and has it again: both are said', async () => {
    const agent = await start()
    site.pc.ip('link', 'set', 'eth0', 'down')
    await agent.line(/: lan: no carrier; is the cable plugged in\?$/)
    const from = agent.lines.length
    site.pc.ip('link', 'set', 'eth0', 'up')
    await agent.line(/: lan: interface is up$/, { from })
    await expectReach()
  })

  it('gets frames of every length and lengths that lie: they pass or are counted, and it goes on', async () => {
    const agent = await start()
    await expectReach()
    const frames = Array.from({ length: 46 }, (_, i) => makeFrame({ length: i + 14, seed: i }))
    for (const type of [0, 1, 46, 1500, 1535])
      frames.push(makeFrame({ type, length: 20 + (type % 7), seed: type }))
    const atFar = await Capture.start(site.far, 'eth0', { filter: 'ether src 02:00:00:00:00:01' })
    await sendFrames(site.pc, 'eth0', frames)
    await atFar.seen(frames.length)
    expect(await atFar.stop()).toEqual(frames)
    // Longer than the tunnel carries: the interface takes it when somebody raises its MTU.
    site.pc.ip('link', 'set', 'eth0', 'mtu', '40000')
    site.site.ip('link', 'set', 'lan', 'mtu', '40000')
    await sendFrames(site.pc, 'eth0', [makeFrame({ length: 30_000 })])
    await expectReach()
    expect(agent.alive).toBe(true)
  })
})

describe('An interface that is down', () => {
  it('is brought up without a word of its own to the LAN', async () => {
    site.site.ip('link', 'set', 'lan', 'down')
    site.site.sysctl({
      'net.ipv6.conf.lan.addr_gen_mode': 0,
      'net.ipv6.conf.lan.router_solicitations': 3,
      'net.ipv6.conf.lan.disable_ipv6': 0,
    })
    const before = nicSettings(site.site, 'lan')
    const mac = site.site.state('lan').address
    const atPc = await Capture.start(site.pc, 'eth0', { filter: `ether src ${mac}` })
    const agent = await start()
    await expectReach()
    expect(nicSettings(site.site, 'lan')).toMatchObject({ isUp: true, addresses: '' })
    await agent.stop()
    expect(await atPc.stop()).toEqual([])
    expect(nicSettings(site.site, 'lan')).toEqual(before)
    expect(said(agent)).toEqual([])
  })
})

describe('hconnect warns of', () => {
  it('an address, and adds to the MTU only what tags need', async () => {
    site.site.address('lan', '192.0.2.1/24')
    site.site.address('lan', '2001:db8::1/64')
    const agent = await start()
    await until('the warning', () => said(agent).length > 0)
    expect(said(agent)).toEqual([
      expect.stringMatching(/^lan has 192\.0\.2\.1\/24, 2001:db8::1\/64: .*ip address flush dev lan$/),
    ])
    expect(site.site.state('lan').mtu).toBe(1516)
    await agent.stop()
    expect(site.site.state('lan').mtu).toBe(1500)
  })

  it('a bridge that has the interface already', async () => {
    site.site.bridge('br9', ['lan'])
    const agent = await start()
    expect(said(agent)).toEqual([expect.stringMatching(/^lan is a port of br9, /)])
  })

  it.each([
    ['true', [expect.stringMatching(/^NetworkManager manages lan .*: nmcli device set lan managed no$/)]],
    ['false', []],
  ])('NetworkManager, where it has managed=%s', async (managed, lines) => {
    const agent = await startWhere(
      `mount -t tmpfs tmpfs /run && mkdir -p /run/NetworkManager/devices &&
       printf '[device]\\nmanaged=${managed}\\n' > /run/NetworkManager/devices/${indexOf('lan')}`,
    )
    expect(said(agent)).toEqual(lines)
  })

  it('Wi-Fi', async () => {
    const agent = await startWhere(
      `mount -t tmpfs tmpfs /sys/class/net && mkdir -p /sys/class/net/lan/phy80211 &&
       echo ${indexOf('lan')} > /sys/class/net/lan/ifindex &&
       echo ${site.site.state('lan').address} > /sys/class/net/lan/address`,
    )
    expect(said(agent)).toEqual([
      expect.stringMatching(/^lan is Wi-Fi: .*; bridge an interface with a cable$/),
    ])
  })

  it('a cable that is not plugged in', async () => {
    site.pc.ip('link', 'set', 'eth0', 'down')
    const agent = await start()
    expect(said(agent)).toEqual(['lan: no carrier; is the cable plugged in?'])
    expect(agent.stdout).toMatch(/Port 0001 .* INACTIVE/)
  })

  it('a driver that takes no longer frames, which are counted', async () => {
    site.site.ip('link', 'set', 'lan', 'name', 'below')
    site.site.address('below', '10.97.0.1/24')
    site.pc.address('eth0', '10.97.0.2/24')
    const over = ['type', 'vxlan', 'id', '7', 'dstport', '4789']
    site.site.ip('link', 'add', 'lan', ...over, 'dev', 'below', 'remote', '10.97.0.2')
    site.site.ip('link', 'set', 'lan', 'up')
    const agent = await startJson()
    await agent.line(/"type":"report"/)
    expect(said(agent)).toEqual([
      'lan keeps an MTU of 1450: frames over 1464 octets, with a VLAN tag 1468, do not pass ' +
        '(cannot set the MTU of lan to 9216: invalid argument)',
    ])
    await sendFrames(
      site.far,
      'eth0',
      [60, 1464, 1465, 1514].map((length) => makeFrame({ length })),
      2000,
    )
    await until('2 drops', () => /"outDrops":\{"too-big":2\}/.test(agent.lines.at(-1) ?? ''))
    await agent.stop()
    expect(site.site.state('lan').mtu).toBe(1450)
  })
})

describe('hconnect --mtu', () => {
  it.each([
    ['2000', 1500, 2000],
    ['1400', 1500, 1500],
  ])('%s raises an MTU of %i to %i', async (mtu, before, now) => {
    site.site.ip('link', 'set', 'lan', 'mtu', String(before))
    const agent = await start(['--mtu', mtu])
    expect(site.site.state('lan').mtu).toBe(now)
    await agent.stop()
    expect(site.site.state('lan').mtu).toBe(before)
    expect(said(agent)).toEqual([])
  })
})

describe("The hub's interface", () => {
  it('is looked at as well', async () => {
    await hub.stop()
    site.hub.bridge('br9', ['lan'])
    await hub.serve()
    await hub.process.line(/"process":"fabric".*"msg":"lan is a port of br9, /)
    const from = hub.process.lines.length
    site.hub.ip('link', 'set', 'lan', 'nomaster')
    site.hub.ip('link', 'set', 'lan', 'name', 'other0')
    await hub.process.line(/"msg":"lan is called other0 now"/, { from })
    await start()
    await expectReach()
  })
})
