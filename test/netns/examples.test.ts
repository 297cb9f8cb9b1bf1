/**
 * The examples, all on one hub and at once: each does what its README says.
 *
 *   [pc eth0]---[lan  site  wan]---[wan  hub: two-lans, ring, qinq-provider, impaired-link, classroom]
 */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { type Device, RunningTopology } from '#test/support/topology.ts'

const NAMES = ['two-lans', 'ring', 'qinq-provider', 'impaired-link', 'classroom'] as const
type Example = (typeof NAMES)[number]
const HUB = '10.97.0.2'
/** Milliseconds of the impaired cable, both ways. */
const LEAST_ROUND_TRIP = 36

let lab: Lab
let site: Namespace
let pc: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  const machine = lab.namespace('hub')
  site = lab.namespace('site')
  pc = lab.namespace('pc')
  lab.link(pc, 'eth0', site, 'lan')
  lab.link(site, 'wan', machine, 'wan')
  site.address('wan', '10.97.0.1/24')
  machine.address('wan', `${HUB}/24`)
  hub = await Hub.start(machine, { address: HUB })
  await Promise.all(NAMES.map((name) => typed(name, `hybridge topology start examples/${name}`)))
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await hub.stop()
  lab.close()
})

/** A command that the README tells people to type on the hub. @returns what it prints */
async function typed(name: Example, command: string): Promise<string> {
  expect(readFileSync(`examples/${name}/README.md`, 'utf8')).toContain(command)
  return (await hub.command(command.split(' ').slice(1), { timeoutMs: 60_000 })).stdout
}

/** @param number  its place in the topology's file, from 1 */
const device = (name: Example, number: number): Promise<Device> =>
  new RunningTopology(hub, name).device(number)

const page = async (from: Device, url: string): Promise<string> =>
  (await from.run('curl', ['-s', '--max-time', '20', '--retry', '20', '--retry-connrefused', url])).stdout

it.concurrent('two-lans: pc1 reaches pc2 through gw', async () => {
  const pc1 = await device('two-lans', 1)
  await Promise.all(['198.51.100.12', '2001:db8:0:2::12'].map((address) => pc1.reaches(address)))
  const { stdout } = await pc1.run('traceroute', ['-n', '198.51.100.12'])
  expect(stdout).toMatch(/^ 1 +192\.0\.2\.1 .*\n 2 +198\.51\.100\.12 /m)
  expect(await page(pc1, 'http://198.51.100.12')).toContain('<h1>pc2</h1>')
})

it.concurrent('ring: a cable is pulled, and the ping goes on by the other way', async () => {
  const spanningTree = (): Promise<string> => typed('ring', 'hybridge show rstp ring/ring3')
  await expect
    .poll(spanningTree, { timeout: 20_000 })
    .toMatch(/^ +\d +root .*cable:ring2\n[^]*^ +\d +alternate .*cable:ring4$/m)
  const ping = await Ping.start(await device('ring', 1), '192.0.2.12')
  await typed('ring', 'hybridge bridge port set ring/ring1 cable:ring2 link=down')
  // One in 50 ms: RSTP without agreements would take 30 s.
  expect((await ping.lost()).length).toBeLessThan(40)
  ping.stop()
  expect(await spanningTree()).toMatch(/^ +\d +root .*cable:ring4$/m)
})

it.concurrent('qinq-provider: customers with the same addresses see their own machines', async () => {
  for (const [number, name] of [
    [1, 'red2'],
    [3, 'blue2'],
  ] as const)
    expect(await page(await device('qinq-provider', number), 'http://192.0.2.2')).toContain(
      `<h1>${name}</h1>`,
    )
  expect(await typed('qinq-provider', 'hybridge show vlans qinq-provider/west')).toMatch(
    /^ 100 +88a8 .*\n 200 +88a8 .*\n$/m,
  )
  const pings = await Ping.start(await device('qinq-provider', 1), '192.0.2.2')
  const file = `${lab.directory}/provider.pcapng`
  await hub.command(['capture', 'qinq-provider/west', '--port', '1', '-c', '4', '-w', file])
  pings.stop()
  const { stdout } = await site.run('tcpdump', ['-e', '-n', '-r', file, 'vlan 100 and vlan 10'])
  expect(stdout).toMatch(/vlan 100, .*vlan 10, .*192\.0\.2\.1 > 192\.0\.2\.2: ICMP echo request/)
})

it.concurrent('impaired-link: pings take longer and get lost, until it is mended', async () => {
  const pc1 = await device('impaired-link', 1)
  const ping = async (): Promise<number[]> => {
    const { stdout } = await pc1.run('ping', ['-c', '100', '-i', '0.02', '192.0.2.2'])
    return (/, (\d+) received[^]* = ([\d.]+)\//.exec(stdout) ?? []).slice(1).map(Number)
  }
  const [received, least] = await ping()
  expect(least).toBeGreaterThanOrEqual(LEAST_ROUND_TRIP)
  expect(received).toBeGreaterThan(70)
  expect(received).toBeLessThan(100)
  const { stdout: rate } = await pc1.run('iperf3', ['-c', '192.0.2.2', '-t', '2', '--json'])
  expect(JSON.parse(rate).end.sum_received.bits_per_second).toBeLessThan(10e6)
  await typed('impaired-link', 'hybridge bridge port set impaired-link/west cable:east impair=none')
  // It waits for the last one no longer than for two round trips of before.
  expect((await ping())[0]).toBeGreaterThanOrEqual(99)
})

it.concurrent('classroom: everybody reaches everybody, and a LAN at a bench gets an address', async () => {
  const pc1 = await device('classroom', 2)
  expect(await page(pc1, 'http://192.0.2.1/lesson.txt')).toMatch(/^Lesson 1/)
  await pc1.reaches('192.0.2.18')
  const agent = await startAgent(site, { hub, nic: 'lan', bridge: 'classroom/bench3', json: true })
  const lease = await pc.run('udhcpc', ['-i', 'eth0', '-n', '-q', '-f', '-t', '10', '-s', '/bin/true'])
  expect(`${lease.stdout}${lease.stderr}`).toMatch(/lease of 192\.0\.2\.1\d\d obtained from 192\.0\.2\.1,/)
  expect(await typed('classroom', 'hybridge connector list classroom')).toMatch(
    /^classroom\/bench3 +3 +ann@/m,
  )
  await agent.stop()
})
