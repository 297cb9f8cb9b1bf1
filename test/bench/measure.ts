/** The figures of one way between two hosts: bulk TCP, small frames, round trip, processor time. */
import { readFileSync } from 'node:fs'
import type { Column } from '#test/bench/figures.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'

/** Two hosts, and what joins them. */
export interface Way {
  from: Namespace
  to: Namespace
  /** Of `to`. */
  address: string
  /** Every process in them is part of what joins the hosts. */
  joining: readonly Namespace[]
}

export interface ThroughputFigures {
  /** Bulk TCP received, Gbit/s, with CUBIC as lab PCs run it. */
  cubicGbps: number
  /** The same with BBR, for which the reference ratios to the kernel bridge hold. */
  bbrGbps: number
  /** UDP datagrams of 64 octets received, thousands a second; the sender may be the limit. */
  smallKpps: number
  /** Mean round trip of 500 pings 2 ms apart, after a warm-up. */
  rttMs: number
  /** Processor seconds of the joining processes per 10^9 octets of TCP payload, with CUBIC. */
  cpuSecondsPerGb: number
}

export const THROUGHPUT_COLUMNS: readonly Column<ThroughputFigures>[] = [
  { figure: 'cubicGbps', title: 'TCP CUBIC, Gbit/s', digits: 2 },
  { figure: 'bbrGbps', title: 'TCP BBR, Gbit/s', digits: 2 },
  { figure: 'smallKpps', title: '64-octet UDP, kpps', digits: 0 },
  { figure: 'rttMs', title: 'round trip, ms', digits: 3 },
  { figure: 'cpuSecondsPerGb', title: 'CPU s/GB', digits: 2 },
]

const WARM_UP_SECONDS = 3
const WARM_UP_PINGS = 1500
const TCP_SECONDS = 4
const SMALL_SECONDS = 3
const TICKS_PER_SECOND = 100
export const PORT = 5201

/** User and system time of one process so far; 0 when it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return 0
  }
}

const cpuOf = (namespaces: readonly Namespace[]): number =>
  namespaces.flatMap((namespace) => namespace.pids()).reduce((sum, pid) => sum + cpuSeconds(pid), 0)

/** What iperf3 says with `-J`, as far as it matters; the server's part when it was asked for. */
interface Report {
  end: { sum_received: { bytes: number; bits_per_second: number } }
  server_output_json?: { end: { sum: { packets: number; lost_packets: number; seconds: number } } }
}

async function iperf(way: Way, seconds: number, args: readonly string[]): Promise<Report> {
  const common = ['-c', way.address, '-p', String(PORT), '-t', String(seconds), '-J']
  const { stdout } = await way.from.run('iperf3', [...common, ...args], { timeoutMs: (seconds + 20) * 1000 })
  const report: Report = JSON.parse(stdout)
  return report
}

export async function startServer(way: Way): Promise<void> {
  way.to.spawn('iperf3', ['-s', '-p', String(PORT), '-J']) // without -J it reports to the client as text
  await way.to.listening(PORT)
}

export interface Bulk {
  gbps: number
  cpuSecondsPerGb: number
}

/** One TCP flow with a congestion control of the kernel's. */
export async function bulk(way: Way, congestion: 'cubic' | 'bbr', seconds: number): Promise<Bulk> {
  const before = cpuOf(way.joining)
  const { sum_received: received } = (await iperf(way, seconds, ['-C', congestion])).end
  const spent = cpuOf(way.joining) - before
  return { gbps: received.bits_per_second / 1e9, cpuSecondsPerGb: spent / (received.bytes / 1e9) }
}

async function small(way: Way, seconds: number): Promise<number> {
  const flood = ['-u', '-b', '0', '-l', '64', '--get-server-output']
  const sum = (await iperf(way, seconds, flood)).server_output_json?.end.sum
  if (!sum) throw new Error('iperf3: no report from the server')
  return (sum.packets - sum.lost_packets) / sum.seconds / 1000
}

/** Before anything counts, the same for every candidate: code that has just started is not what people run for hours. */
async function warmUp(way: Way): Promise<void> {
  await bulk(way, 'cubic', WARM_UP_SECONDS)
  await ping(way, WARM_UP_PINGS)
}

const ping = (way: Way, count: number): Promise<{ stdout: string }> =>
  way.from.run('ping', ['-q', '-c', String(count), '-i', '0.002', way.address])

async function roundTrip(way: Way): Promise<number> {
  const { stdout } = await ping(way, 500)
  const mean = /= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1]
  if (mean === undefined) throw new Error(`ping: no round trip in\n${stdout}`)
  return Number(mean)
}

async function measure(way: Way): Promise<ThroughputFigures> {
  await startServer(way)
  const settled = (): Promise<void> => way.from.reaches(way.address, 15)
  await settled()
  await warmUp(way)
  const rttMs = await roundTrip(way)
  const cubic = await bulk(way, 'cubic', TCP_SECONDS)
  await settled()
  const bbr = await bulk(way, 'bbr', TCP_SECONDS)
  await settled()
  const smallKpps = await small(way, SMALL_SECONDS)
  return {
    cubicGbps: cubic.gbps,
    bbrGbps: bbr.gbps,
    smallKpps,
    rttMs,
    cpuSecondsPerGb: cubic.cpuSecondsPerGb,
  }
}

/** How a benchmark measures what a function builds. */
export const throughputOf =
  (build: (lab: Lab) => Promise<Way>) =>
  async (lab: Lab): Promise<ThroughputFigures> =>
    measure(await build(lab))
