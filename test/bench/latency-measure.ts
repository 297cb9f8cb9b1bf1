/** What a ping sees beside a load that fills the way. */
import type { Direction } from '#test/bench/bottleneck.ts'
import { median } from '#test/bench/figures.ts'
import type { Column } from '#test/bench/figures.ts'
import { Load } from '#test/bench/load.ts'
import type { Hosts, LoadKind } from '#test/bench/load.ts'
import type { Namespace } from '#test/support/netns.ts'
import { FAR_ADDRESS } from '#test/support/site.ts'

export interface LatencyFigures {
  /** Median round trip before the load. */
  idleMs: number
  /** Beside the load; of the answered pings. */
  medianMs: number
  p95Ms: number
  /** `medianMs` less `idleMs`. */
  aboveMs: number
  lossPercent: number
  /** Payload of the load that arrives while the pings run, Mbit/s. */
  mbps: number
  /** Fairness between the flows by Jain's index: 1 is equal shares, 1/8 one of eight has all. NaN for UDP. */
  jain: number
}

export const LATENCY_COLUMNS: readonly Column<LatencyFigures>[] = [
  { figure: 'idleMs', title: 'idle ping, ms', digits: 2 },
  { figure: 'medianMs', title: 'median, ms', digits: 1 },
  { figure: 'p95Ms', title: '95 %, ms', digits: 1 },
  { figure: 'aboveMs', title: 'above idle, ms', digits: 1 },
  { figure: 'lossPercent', title: 'pings lost, %', digits: 1 },
  { figure: 'mbps', title: 'load, Mbit/s', digits: 2 },
  { figure: 'jain', title: 'Jain', digits: 2 },
]

const PINGS_PER_SECOND = 20
const IDLE_SECONDS = 3
const SETTLING_SECONDS = 5
const LOADED_SECONDS = 15
/** How long the last answers may take. */
const LATE_SECONDS = 30

interface Pings {
  /** Round trips of the answered ones, ms, ascending. */
  answered: number[]
  sent: number
}

async function ping(from: Namespace, seconds: number): Promise<Pings> {
  const count = seconds * PINGS_PER_SECOND
  const args = ['-n', '-c', String(count), '-i', String(1 / PINGS_PER_SECOND), '-W', String(LATE_SECONDS)]
  const timeoutMs = (seconds + 2 * LATE_SECONDS) * 1000
  const { stdout } = await from.run('ping', [...args, FAR_ADDRESS], { timeoutMs, check: false })
  const answered = [...stdout.matchAll(/icmp_seq=\d+ ttl=\d+ time=([\d.]+) ms$/gm)].map(([, ms]) =>
    Number(ms),
  )
  return { answered: answered.toSorted((a, b) => a - b), sent: count }
}

/** Nearest rank. */
const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.ceil(ascending.length * share) - 1] ?? Number.NaN

function jainOf(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0)
  const squares = shares.reduce((total, share) => total + share ** 2, 0)
  return shares.length > 1 ? sum ** 2 / (shares.length * squares) : Number.NaN
}

/** The first PC pings. */
export async function measureLatency(
  hosts: Hosts,
  kind: LoadKind,
  direction: Direction,
): Promise<LatencyFigures> {
  const [pc] = hosts.pcs
  if (!pc) throw new Error('no PC')
  for (const each of hosts.pcs) await each.reaches(FAR_ADDRESS, 15)
  const idleMs = median((await ping(pc, IDLE_SECONDS)).answered)

  const load = await Load.start(hosts, kind, direction)
  await new Promise((resolve) => setTimeout(resolve, SETTLING_SECONDS * 1000))
  const start = performance.now()
  const before = load.received()
  const { answered, sent } = await ping(pc, LOADED_SECONDS)
  const octets = [...load.received()].map(([flow, count]) => count - (before.get(flow) ?? 0))
  const seconds = (performance.now() - start) / 1000

  const medianMs = median(answered)
  return {
    idleMs,
    medianMs,
    p95Ms: percentile(answered, 0.95),
    aboveMs: medianMs - idleMs,
    lossPercent: (1 - answered.length / sent) * 100,
    mbps: (octets.reduce((sum, count) => sum + count, 0) * 8) / seconds / 1e6,
    jain: jainOf(octets),
  }
}
