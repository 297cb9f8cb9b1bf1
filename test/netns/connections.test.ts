/**
 * Several connections carry one tunnel, where one has not the socket buffers for a far path: see `buildSmallBuffers`.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { buildSmallBuffers, type SmallBuffers } from '#test/bench/far-site.ts'
import { startAgent } from '#test/support/agent.ts'
import { hubLog } from '#test/support/hub-processes.ts'
import { Lab } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { type Running, until } from '#test/support/process.ts'
import { FAR_ADDRESS } from '#test/support/site.ts'

const PORT = 5201
const BUFFER = 256 << 10
/** Of 100 ms and 256 KiB: 20 Mbit/s a connection; half of that shows that it is the buffers that bound. */
const LOAD = '-u -b 2M -P 8'
/** What a connection carries of a load, and not of pings. */
const MUCH = 200_000
const DEADLINE_MS = 60_000

let lab: Lab
let site: SmallBuffers
let agent: Running
/** Its port of the first connection, which has the tunnel. */
let first: number | undefined

beforeAll(async () => {
  lab = new Lab()
  site = await buildSmallBuffers(lab, 'delay=50ms', BUFFER)
  agent = await startAgent(site.site, { hub: site.daemon, nic: 'lan', json: true })
  first = connections()[0]?.port
}, 60_000)
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

/** Waits for a report, from now on, that says so many. */
const connectionsAre = (count: number): Promise<unknown> =>
  agent.line(new RegExp(`"type":"report".*"connections":${count},"reconnects":0,`), {
    from: agent.lines.length,
    deadlineMs: DEADLINE_MS,
  })

const number = (line: string, pattern: RegExp): number => Number(pattern.exec(line)?.[1] ?? 0)

/** Connections of the agent to the hub: the port here, octets acknowledged and received. */
function connections(): { port: number; sent: number; received: number }[] {
  const lines = site.site.exec('ss', '-tinHO', 'state', 'established', 'dport', '=', ':2222').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => ({
      port: number(line, /:(\d+) /),
      sent: number(line, /\bbytes_acked:(\d+)/),
      received: number(line, /\bbytes_received:(\d+)/),
    }))
}

/** `iperf3 -J`: what the receiver says of each flow. */
interface Report {
  readonly end: { readonly streams: readonly { readonly udp: { out_of_order: number; packets: number } }[] }
}

/** UDP flows, each way: towards the host, and from it. @returns clients and servers, which end after them */
async function load(seconds: number): Promise<{ clients: Running[]; servers: Running[] }> {
  const { pc, host } = site
  const ports = [PORT, PORT + 1]
  const servers = ports.map((port) => host.spawn('iperf3', ['-s', '-1', '-J', '-p', String(port)]))
  for (const port of ports) await host.listening(port)
  const time = ['-t', String(seconds), '-J']
  const clients = ports.map((port) => {
    const to = ['-c', FAR_ADDRESS, '-p', String(port), ...(port === PORT ? [] : ['-R'])]
    return pc.spawn('iperf3', [...to, ...LOAD.split(' '), ...time])
  })
  return { clients, servers }
}

it('opens further connections where the buffers bound a load', async () => {
  await site.pc.reaches(FAR_ADDRESS)
  const { clients, servers } = await load(600)
  expect(agent.stdout).not.toMatch(/"connections":[2-9]/)
  await connectionsAre(4)
  expect(agent.stderr).toMatch(/this path takes more than socket buffers hold: 3 further connections/)
  for (const client of clients) client.child.kill('SIGINT')
  await Promise.all(servers.map(({ exited }) => exited))
}, 120_000)

it('spreads flows over them, both ways, and keeps the order of each', async () => {
  const before = connections()
  const { clients, servers } = await load(3)
  const finished = await Promise.all([...clients, ...servers].map(({ exited }) => exited))
  const carried = connections().map(({ port, sent, received }) => {
    const then = before.find((one) => one.port === port)
    return { sent: sent - (then?.sent ?? 0), received: received - (then?.received ?? 0) }
  })
  expect(carried.filter(({ sent }) => sent > MUCH).length).toBeGreaterThanOrEqual(2)
  expect(carried.filter(({ received }) => received > MUCH).length).toBeGreaterThanOrEqual(2)
  const [, received, sent] = finished
  for (const receiver of [received, sent]) {
    const report: Report = JSON.parse(receiver?.stdout ?? '')
    const streams = report.end.streams.map(({ udp }) => udp)
    expect(streams).toHaveLength(8)
    expect(streams.every(({ packets }) => packets > 100)).toBe(true)
    expect(streams.map(({ out_of_order }) => out_of_order)).toEqual(Array(8).fill(0))
  }
}, 120_000)

it('goes on without a connection that dies, and has another one in its place', async () => {
  await connectionsAre(4)
  const ping = await Ping.start(site.pc, FAR_ADDRESS)
  const victim = connections().find(({ port }) => port !== first)?.port ?? 0
  const from = site.daemon.process.lines.length
  const table = 'add table t; add chain t o { type filter hook output priority 0; }'
  site.site.exec('nft', `${table}; add chain t i { type filter hook input priority 0; }`)
  site.site.exec('nft', `add rule t o tcp sport ${victim} reject with tcp reset`)
  site.site.exec('nft', `add rule t i tcp dport ${victim} reject with tcp reset`)
  await until(
    'it is gone, and another is there',
    () => {
      const counts = hubLog(site.daemon, from).flatMap(
        ({ msg }) => /has (\d) connections/.exec(msg)?.[1] ?? [],
      )
      return counts.join() === '3,4'
    },
    DEADLINE_MS,
  )
  await connectionsAre(4)
  await ping.answered()
  expect(connections().map(({ port }) => port)).not.toContain(victim)
  expect(agent.stdout).not.toContain('"disconnected"')
  ping.stop()
}, 120_000)
