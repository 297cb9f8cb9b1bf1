/** Whether the counters of agent and hub add up to the frame and octet, while nothing else is under way. */
import type { Hub } from '#test/support/hub.ts'
import type { Running } from '#test/support/process.ts'
import { carry } from '#test/support/flow-check.ts'
import type { End } from '#test/support/flow-check.ts'
import { transfer } from '#test/support/transfer.ts'
import type { TransferKind } from '#test/support/transfer.ts'
import { FAR2_ADDRESS, PC2_ADDRESS } from '#test/soak/lab.ts'
import type { SoakLab } from '#test/soak/lab.ts'
import { oddFrames } from '#test/soak/traffic.ts'

const FRAMES = 2000
/** The frame by which `carry` knows the end. */
const MARK_OCTETS = 60
const OCTETS = { tcp: 50_000_000, udp: 300_000, 'udp-segments': 5_000_000 } as const
const SETTLED_MS = 30_000
/** As many readings must agree before nothing is under way. */
const QUIET = 3

interface Counters {
  inFrames: number
  inOctets: number
  outFrames: number
  outOctets: number
  inDrops: Record<string, number>
  outDrops: Record<string, number>
}

/** Through one switch: what it had from a port, and what it sent to the other one or dropped there. */
interface Crossing {
  in: readonly number[]
  out: readonly number[]
  dropped: number
}

/** Of each direction, the crossings in their order: agent and hub, or hub and agent. */
interface Reading {
  up: Crossing[]
  down: Crossing[]
  /** Of all ports, both ways. */
  drops: number
}

export interface Exact {
  what: string
  /** Empty: all agree. */
  differences: string[]
}

const total = (drops: Record<string, number>): number =>
  Object.values(drops).reduce((sum, frames) => sum + frames, 0)

async function hubCounters(hub: Hub): Promise<[Counters, Counters]> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: { name: string; up: boolean; counters: Counters }[] = JSON.parse(stdout)
  const find = (start: string): Counters => {
    const found = ports.filter(({ name, up }) => up && name.startsWith(start))
    const [port] = found
    if (!port || found.length > 1) throw new Error(`not one port ${start} that is up: ${stdout}`)
    return port.counters
  }
  return [find('tunnel:ann@'), find('nic:lan')]
}

async function agentCounters(agent: Running): Promise<[Counters, Counters]> {
  // The next report may be under way already.
  await agent.line(/"type":"report"/, { from: agent.lines.length })
  const [line] = await agent.line(/.*"type":"report".*/, { from: agent.lines.length })
  const { ports }: { ports: Counters[] } = JSON.parse(line)
  const [local, remote] = ports
  if (!local || !remote) throw new Error(`no two ports: ${line}`)
  return [local, remote]
}

const crossing = (from: Counters, to: Counters): Crossing => ({
  in: [from.inFrames, from.inOctets],
  out: [to.outFrames, to.outOctets],
  dropped: total(to.outDrops),
})

async function read(agent: Running, hub: Hub): Promise<Reading> {
  const [local, remote] = await agentCounters(agent)
  const [tunnel, nic] = await hubCounters(hub)
  return {
    up: [crossing(local, remote), crossing(tunnel, nic)],
    down: [crossing(nic, tunnel), crossing(remote, local)],
    drops: [local, remote, tunnel, nic].reduce(
      (sum, { inDrops, outDrops }) => sum + total(inDrops) + total(outDrops),
      0,
    ),
  }
}

async function settled(agent: Running, hub: Hub): Promise<Reading> {
  const deadline = performance.now() + SETTLED_MS
  for (let last = '', same = 0; ;) {
    const reading = await read(agent, hub)
    const now = JSON.stringify(reading)
    same = now === last ? same + 1 : 1
    if (same === QUIET) return reading
    if (performance.now() > deadline)
      throw new Error(`the counters do not come to rest: ${last}, then ${now}`)
    last = now
  }
}

const gained = (before: readonly number[] = [], after: readonly number[] = []): number[] =>
  after.map((count, i) => count - (before[i] ?? 0))

/**
 * What does not add up in one direction, in frames and octets: what was sent (if known) comes in; what comes in goes
 * out or is dropped; what the first switch sends is what the second one has.
 */
function disagreement(
  way: string,
  before: readonly Crossing[],
  after: readonly Crossing[],
  sent?: readonly number[],
): string[] {
  const crossings = after.map((crossed, i) => ({
    in: gained(before[i]?.in, crossed.in),
    out: gained(before[i]?.out, crossed.out),
    dropped: crossed.dropped - (before[i]?.dropped ?? 0),
  }))
  const adds = crossings.every(
    ({ in: [inFrames = 0, inOctets], out: [outFrames = 0, outOctets], dropped }) =>
      inFrames > 0 && inFrames === outFrames + dropped && (dropped > 0 || inOctets === outOctets),
  )
  const [first, second] = crossings
  const joins = String(first?.out) === String(second?.in)
  const begins = sent === undefined || String(sent) === String(first?.in)
  return adds && joins && begins ? [] : [`${way}: ${JSON.stringify({ sent, crossings })}`]
}

/** Frames sent and seen, octet by octet, and counted. */
async function oddOnes(
  from: End,
  to: End,
  source: string,
): Promise<{ sent: number[]; differences: string[] }> {
  const frames = oddFrames(to.at.state(to.nic).address, FRAMES, source)
  const { left, arrived } = await carry(from, to, frames)
  const isSame =
    frames.length === arrived.length && frames.every((frame, i) => arrived[i]?.equals(frame) === true)
  const octets = frames.reduce((sum, { length }) => sum + length, MARK_OCTETS)
  return {
    sent: [frames.length + 1, octets],
    differences: isSame
      ? []
      : [`of ${frames.length} frames ${left.length} left and ${arrived.length} arrived, or altered`],
  }
}

export async function exactCounters(lab: SoakLab, agent: Running, hub: Hub): Promise<Exact[]> {
  const results: Exact[] = []
  const here = { at: lab.pc2, nic: 'eth0' }
  const there = { at: lab.far2, nic: 'eth0' }
  let before = await settled(agent, hub)
  const noDrops = (after: Reading): string[] =>
    after.drops === before.drops ? [] : [`${after.drops - before.drops} frames were dropped`]

  const up = await oddOnes(here, there, '02:00:00:00:00:77')
  const down = await oddOnes(there, here, '02:00:00:00:00:78')
  let after = await settled(agent, hub)
  results.push({
    what: `${FRAMES} frames of every kind each way`,
    differences: [
      ...up.differences,
      ...down.differences,
      ...disagreement('up', before.up, after.up, up.sent),
      ...disagreement('down', before.down, after.down, down.sent),
      ...noDrops(after),
    ],
  })
  const kinds: TransferKind[] = ['tcp', 'udp', 'udp-segments']
  for (const kind of kinds) {
    before = after
    const octets = OCTETS[kind]
    await transfer({ kind, from: lab.pc2, to: lab.far2, address: FAR2_ADDRESS, octets })
    await transfer({ kind, from: lab.far2, to: lab.pc2, address: PC2_ADDRESS, octets })
    after = await settled(agent, hub)
    const differences = [
      ...disagreement('up', before.up, after.up),
      ...disagreement('down', before.down, after.down),
      // TCP that fills the tunnel is slowed down by drops, which are counted.
      ...(kind === 'tcp' ? [] : noDrops(after)),
    ]
    results.push({ what: `${octets / 1e6} MB by ${kind} each way`, differences })
  }
  return results
}
