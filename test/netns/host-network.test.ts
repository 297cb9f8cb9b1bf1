/**
 * Hosts with the addresses that their configurations say, and those that servers give.
 *
 *   [dhcp]---(external)---[em0 h1, h2, r1 em0]
 *   [h1 em1]---(lan)---[em1 h2]
 *   [dnsmasq, in h1, em2]---(far)---[em2 h2]
 */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { type Running, until } from '#test/support/process.ts'
import { type Device, RunningTopology } from '#test/support/topology.ts'

const FILE = `#include "common.defs"
config "net" {
  vm "h1" { CENTOS_LATEST install "h1.conf" "/root/host.conf"; interface "em0" { EXTERNAL; };
    interface "em1" { bridge "lan"; }; interface "em2" { bridge "far"; }; };
  vm "h2" { CENTOS_LATEST install "h2.conf" "/root/host.conf"; interface "em0" { EXTERNAL; };
    interface "em1" { bridge "lan"; }; interface "em2" { bridge "far"; }; };
  vm "r1" { VJX1000_LATEST install "r1.conf" "/root/junos.conf"; interface "em0" { EXTERNAL; }; };
};
`
const FILES = {
  'h1.conf': `interfaces:
  em1: { addresses: [192.0.2.11/24, 2001:db8::11/64] }
  em2: { addresses: [198.51.100.1/24, 2001:db8:2::1/64] }
services: [http]
run: |
  ip link set dev em1 alias 'as told'
`,
  'h2.conf': `interfaces:
  em1: { addresses: [192.0.2.12/24, 2001:db8::12/64], mtu: 1400 }
  em2: { dhcp: true, slaac: true }
routes: ["203.0.113.0/24 via 192.0.2.11", "203.0.113.128/25 via 198.51.100.1"]
nameservers: [192.0.2.53]
`,
  'r1.conf': 'system { host-name r1; }\n',
}
/** Twice what a client waits between two tries, when the first went before somebody was there. */
const WAIT_MS = 16_000
const SENDER = `import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("em0", 0))
own = s.getsockname()[4]
whole = bytes.fromhex("ffffffffffff") + own + bytes.fromhex("08004500011c000000004011000000000000ffffffff0044004301080000")
for length in range(43, 280, 7):
    s.send((whole + bytes(400))[:length])
`

let lab: Lab
let hub: Hub
let net: RunningTopology
let h1: Device
let h2: Device
let dnsmasq: Running | undefined

const addresses = (device: Device, nic: string, family: '-4' | '-6' = '-4'): string =>
  device.exec('ip', family, '-br', 'address', 'show', 'dev', nic, 'scope', 'global')

const malformed = async (): Promise<number> => (await net.port('dhcp')).counters.outDrops.malformed ?? 0

beforeAll(async () => {
  lab = new Lab()
  hub = await Hub.start(lab.namespace('hub'), {
    address: '127.0.0.1',
    args: ['--management-network', '10.99.0.0/16'],
  })
  net = await RunningTopology.start(hub, 'net', FILE, FILES)
  ;[h1, h2] = [await net.device(1), await net.device(2)]
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await dnsmasq?.stop()
  await hub.stop() // devices have networks of their own, which the laboratory does not know
  lab.close()
})

it('addresses, routes, an MTU and commands are those of the file', async () => {
  await h1.reaches('192.0.2.12')
  await h1.reaches('2001:db8::12')
  expect(h2.exec('ip', 'link', 'show', 'dev', 'em1')).toContain('mtu 1400')
  expect(h2.exec('ip', 'route', 'get', '203.0.113.1')).toContain('via 192.0.2.11 dev em1')
  await until('commands have been run', () => h1.exec('ip', 'link', 'show', 'dev', 'em1').includes('as told'))
  const page = (): Promise<{ stdout: string }> =>
    h2.run('curl', ['-sS', 'http://192.0.2.11/'], { check: false })
  await until('a page is served', async () => (await page()).stdout.includes('<h1>h1</h1>'), WAIT_MS)
})

it('devices have their management addresses, also after a reset, and reach the hub there', async () => {
  const { devices } = await net.status()
  expect(devices.map(({ managementAddress }) => managementAddress)).toEqual([
    '10.99.0.11',
    '10.99.0.12',
    '10.99.0.13',
  ])
  expect(devices.map(({ notice }) => notice !== '')).toEqual([false, false, true])
  const r1 = await net.device(3)
  for (const [device, address] of [
    [h1, '10.99.0.11'],
    [h2, '10.99.0.12'],
    [r1, '10.99.0.13'],
  ] as const)
    await until(`${address} is there`, () => addresses(device, 'em0').includes(`${address}/24`), WAIT_MS)
  await r1.reaches('10.99.0.1')
  await r1.reaches('10.99.0.12')
  expect(h1.exec('ip', 'route')).not.toContain('default')
  await net.reset('r1')
  const again = await net.device(3)
  await until('its address is there again', () => addresses(again, 'em0').includes('10.99.0.13/24'), WAIT_MS)
})

it('what the DHCP port cannot read is counted, and it answers on', async () => {
  await h1.run('/usr/bin/python3', ['-I', '-S', '-c', SENDER])
  await until('they are counted', async () => (await malformed()) >= 30)
  await h1.reaches('10.99.0.1')
  expect((await net.status()).state).toBe('running')
})

it("another network's DHCP server and router give addresses, routes and names", async () => {
  dnsmasq = h1.spawn('dnsmasq', [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--port=0',
    '--interface=em2',
    '--bind-interfaces',
    '--dhcp-authoritative',
    '--dhcp-range=198.51.100.50,198.51.100.60,1h',
    '--dhcp-range=::,constructor:em2,slaac',
    '--enable-ra',
    '--dhcp-option=option:dns-server,198.51.100.53',
    '--dhcp-option=option:domain-name,lab.example',
    '--leasefile-ro',
    '--pid-file',
    '--user=root',
    '--log-facility=-',
  ])
  // Its first questions have found nobody there: a link that comes back asks anew.
  await net.setPort('h2:em2', { link: 'down' })
  await net.setPort('h2:em2', { link: 'up' })
  await until(
    'an IPv4 address is there',
    () => /198\.51\.100\.(5\d|60)\/24/.test(addresses(h2, 'em2')),
    WAIT_MS,
  )
  await until('an IPv6 address is there', () => addresses(h2, 'em2', '-6').includes('2001:db8:2:'), WAIT_MS)
  await until('a route is there', () =>
    h2.exec('ip', '-4', 'route').includes('default via 198.51.100.1 dev em2'),
  )
  // The gateway is within reach only now.
  await until("the file's is there", () =>
    h2.exec('ip', '-4', 'route').includes('203.0.113.128/25 via 198.51.100.1'),
  )
  const resolver = (): string => readFileSync(`/proc/${h2.pid}/cwd/given/resolv.conf`, 'utf8')
  await until('names can be resolved', () => resolver().includes('198.51.100.53'))
  expect(resolver()).toBe('search lab.example\nnameserver 192.0.2.53\nnameserver 198.51.100.53\n')
  await h2.reaches('198.51.100.1')
})
