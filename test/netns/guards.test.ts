/**
 * Guards and mirrors of a hub's ports, set while it runs, with frames that scapy makes.
 *
 *   [a eth0]---[lan0  hub  lan1]---[b eth0]
 *                     lan2]---[watch eth0]
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { finish, Running } from '#test/support/process.ts'

const OURS = 'ether proto 0x88b5 or (vlan and ether proto 0x88b5)'
/** Prints a frame a line; those of a fragmented packet are two. */
const SCAPY = `
from scapy.all import *
mac = "02:00:00:00:00:0a"
ra = IPv6(src="fe80::1", dst="ff02::1", hlim=255)
router = ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="fd00::", prefixlen=64)
offer = UDP(sport=67, dport=68) / BOOTP(op=2, chaddr=b"abcdef") / DHCP(options=[("message-type", "offer"), "end"])
long = IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(250)) for _ in range(4)])
frames = [
    Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="10.0.0.9", dst="255.255.255.255") / offer,
    Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=0, prio=3) / Dot1Q(vlan=5) / IP(src="10.0.0.9", dst="255.255.255.255") / offer,
    Ether(src=mac, dst="33:33:00:01:00:02") / IPv6(src="fe80::1", dst="fe80::2") / UDP(sport=547, dport=546) / DHCP6_Advertise(),
    Ether(src=mac, dst="33:33:00:00:00:01") / ra / router,
    Ether(src=mac, dst="33:33:00:00:00:01") / ra / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / router,
    *[Ether(src=mac, dst="33:33:00:00:00:01") / p for p in fragment6(ra / IPv6ExtHdrFragment(id=7) / long / router, 600)],
    Dot3(src=mac, dst="01:80:c2:00:00:00") / LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(),
    Ether(src=mac, dst="01:80:c2:00:00:01", type=0x8808) / bytes.fromhex("0001ffff") / bytes(42),
]
for frame in frames:
    print(bytes(frame).hex())
`

let lab: Lab
let a: Namespace
let b: Namespace
let watch: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  const machine = lab.namespace('hub')
  a = lab.namespace('a')
  b = lab.namespace('b')
  watch = lab.namespace('watch')
  for (const [i, host] of [a, b, watch].entries()) lab.link(machine, `lan${i}`, host, 'eth0', { mtu: 1600 })
  machine.ip('address', 'add', '127.0.0.2/8', 'dev', 'lo')
  hub = await Hub.start(machine, {
    address: '127.0.0.2',
    attach: [0, 1, 2].map((i) => `private0=nic:lan${i}`),
  })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const set = async (number: number, ...settings: string[]): Promise<void> => {
  await hub.command(['bridge', 'port', 'set', 'private0', String(number), ...settings])
}

interface PortAnswer {
  number: number
  settings: Record<string, string>
  counters: { inDrops: Record<string, number> }
}
async function port(number: number): Promise<PortAnswer> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: PortAnswer[] = JSON.parse(stdout)
  const found = ports.find((one) => one.number === number)
  if (!found) throw new Error(`no port ${number}: ${stdout}`)
  return found
}

const source = (n: number): string => `02:00:00:00:00:0${n}`

describe('guards', () => {
  it('stop what scapy makes of servers and switches, and nothing else', async () => {
    const { stdout } = await finish(new Running('/usr/bin/python3', ['-c', SCAPY]))
    const frames = stdout
      .trim()
      .split('\n')
      .map((line) => Buffer.from(line, 'hex'))
    expect(frames.length).toBe(9)
    const [end, after] = [61, 62].map((length) => makeFrame({ length, source: '02:00:00:00:00:0a' }))
    const atB = await Capture.start(b, 'eth0', { direction: 'in' })
    await sendFrames(a, 'eth0', frames)
    expect((await atB.seen(frames.length)).length).toBe(frames.length)

    await set(1, 'block=dhcp+ra+bpdu+pause')
    await sendFrames(a, 'eth0', [...frames, end ?? Buffer.alloc(0)])
    // The second fragment alone is no use to anybody, and passes.
    const passed = (await atB.seen(frames.length + 2)).slice(frames.length)
    expect(passed.map((frame) => frame.toString('hex'))).toEqual(
      [frames[6], end].map((frame) => frame?.toString('hex')),
    )
    const { settings, counters } = await port(1)
    expect(settings).toMatchObject({ block: 'dhcp+ra+bpdu+pause' })
    expect(counters.inDrops).toEqual({ 'block-dhcp': 3, 'block-ra': 3, 'block-bpdu': 1, 'block-pause': 1 })

    await set(1, 'block=none')
    await sendFrames(a, 'eth0', [...frames, after ?? Buffer.alloc(0)])
    await atB.seen(2 * frames.length + 3)
    await atB.stop()
  })

  it('stop a storm', async () => {
    await set(1, 'storm=50')
    const atB = await Capture.start(b, 'eth0', { filter: OURS })
    await sendFrames(
      a,
      'eth0',
      Array.from({ length: 2000 }, (_, seed) => makeFrame({ length: 60, seed })),
    )
    const known = makeFrame({ length: 77, destination: '02:00:00:00:00:0c' })
    await sendFrames(a, 'eth0', [known])
    let seen = await atB.seen(2)
    while (!seen.some(({ length }) => length === 77)) seen = await atB.seen(seen.length + 1)
    await atB.stop()
    const dropped = (await port(1)).counters.inDrops['storm'] ?? 0
    expect(seen.length - 1 + dropped).toBe(2000)
    // How long the storm lasted is the machine's to say; it was seconds at most.
    expect(seen.length).toBeGreaterThanOrEqual(51)
    expect(dropped).toBeGreaterThan(1000)
    await set(1, 'storm=off')
  })
})

describe('a mirror', () => {
  it('shows one port what two others say, with their tags, and takes nothing from it', async () => {
    await set(3, 'mirror=in:1+in:2')
    const capture = await Capture.start(watch, 'eth0', { filter: OURS, direction: 'in' })
    const atA = await Capture.start(a, 'eth0', { filter: OURS, direction: 'in' })
    const first = makeFrame({ length: 60, source: source(1) })
    const second = makeFrame({ length: 70, source: source(2), destination: source(1), tags: [[0x8100, 7]] })
    await sendFrames(watch, 'eth0', [makeFrame({ length: 90, source: source(3) })])
    await sendFrames(a, 'eth0', [first])
    await capture.seen(1)
    await sendFrames(b, 'eth0', [second])
    await capture.seen(2)
    await atA.seen(1)
    expect(Buffer.concat(await capture.stop())).toEqual(Buffer.concat([first, second]))
    expect(Buffer.concat(await atA.stop())).toEqual(second)
    expect(await port(3)).toMatchObject({
      settings: { mirror: 'in:1+in:2' },
      counters: { inDrops: { vlan: 1 }, outFrames: expect.any(Number) },
    })
    await set(3, 'mirror=none')
    const refused = await hub.command(['bridge', 'port', 'set', 'private0', '3', 'mirror=3'], {
      check: false,
    })
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot mirror port 3: it is where copies go'),
    })
  })
})
