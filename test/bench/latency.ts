/** `npm run bench -- latency`: what a ping sees through a tunnel whose way is 10 Mbit/s wide and full. */
import { main } from '#test/bench/bench.ts'
import { narrowSite, narrowSites } from '#test/bench/bottleneck.ts'
import type { Direction } from '#test/bench/bottleneck.ts'
import { LATENCY_COLUMNS, measureLatency } from '#test/bench/latency-measure.ts'
import type { LatencyFigures } from '#test/bench/latency-measure.ts'
import { FLOWS } from '#test/bench/load.ts'
import type { LoadKind } from '#test/bench/load.ts'
import type { Way } from '#test/bench/measure.ts'
import { BULK, cipherNote, ourTunnel, ourTunnels } from '#test/bench/ours.ts'
import { sshTunnel, vdeOverSsh } from '#test/bench/peers.ts'
import type { Candidate } from '#test/bench/rounds.ts'
import type { Rule } from '#test/bench/rules.ts'
import type { Lab } from '#test/support/netns.ts'
import type { Site } from '#test/support/site.ts'

const TUNNELS = 20
/** Above the idle median: bulk flows that yield, and UDP that does not. */
const MOST_ABOVE_MS: Record<LoadKind, number> = { tcp: 60, udp: 100 }

type Build = (lab: Lab, site: Site) => Promise<Way>
type Latency = Candidate<LatencyFigures>

const LOADS: readonly { kind: LoadKind; title: string }[] = [
  { kind: 'tcp', title: `${FLOWS} flows` },
  { kind: 'udp', title: 'UDP' },
]
const DIRECTIONS: readonly Direction[] = ['up', 'down']
const SITUATIONS = DIRECTIONS.flatMap((direction) => LOADS.map((load) => ({ direction, ...load })))

/** One candidate through one tunnel. */
const one =
  (build: Build, kind: LoadKind, direction: Direction): Latency['measure'] =>
  async (lab) => {
    const { from, to } = await build(lab, narrowSite(lab, direction))
    return measureLatency({ pcs: [from], far: to }, kind, direction)
  }

/** Ours through many; the load is spread over as many tunnels as there are flows. */
const many =
  (args: readonly string[], kind: LoadKind, direction: Direction): Latency['measure'] =>
  async (lab) => {
    const { sites, hub, far } = narrowSites(lab, direction, TUNNELS)
    await ourTunnels(sites, hub, args)
    return measureLatency({ pcs: sites.slice(0, FLOWS).map(({ pc }) => pc), far }, kind, direction)
  }

const PEERS: readonly { name: string; title: string; build: Build }[] = [
  { name: 'vde', title: 'VDE over SSH', build: vdeOverSsh },
  { name: 'ssh', title: 'ssh -w', build: sshTunnel },
]
const OURS: readonly { name: string; title: string; args: readonly string[]; onRequest: boolean }[] = [
  { name: 'ours', title: 'hybridge', args: [], onRequest: false },
  { name: 'bulk', title: 'hybridge --no-latency-control', args: BULK, onRequest: true },
]

const candidates = [
  ...SITUATIONS.flatMap(({ kind, direction, title: load }): Latency[] => {
    const scenario = `${direction}/${kind}`
    const titled = (title: string): string => `${title}, ${direction}, ${load}`
    return [
      ...PEERS.map(({ name, title, build }) => ({
        name,
        scenario,
        title: titled(title),
        measure: one(build, kind, direction),
      })),
      ...OURS.map(({ name, title, args, onRequest }) => ({
        name,
        scenario,
        title: titled(title),
        onRequest,
        measure: one((lab, site) => ourTunnel(lab, site, args), kind, direction),
      })),
    ]
  }),
  ...SITUATIONS.flatMap(({ kind, direction, title: load }): Latency[] =>
    OURS.map(({ name, title, args, onRequest }) => ({
      name,
      scenario: `${direction}-${TUNNELS}/${kind}`,
      title: `${title}, ${TUNNELS} tunnels, ${direction}, ${load}`,
      onRequest,
      measure: many(args, kind, direction),
    })),
  ),
]

const rules = SITUATIONS.flatMap(({ kind, direction }): Rule<LatencyFigures>[] => {
  const single = `${direction}/${kind}`
  const shared = `${direction}-${TUNNELS}/${kind}`
  const most = MOST_ABOVE_MS[kind]
  return [
    { kind: 'bar', figure: 'aboveMs', of: `ours ${single}`, most },
    { kind: 'bar', figure: 'aboveMs', of: `ours ${shared}`, most },
    { kind: 'aim', figure: 'lossPercent', of: `ours ${single}`, most: 1 },
    { kind: 'aim', figure: 'lossPercent', of: `ours ${shared}`, most: 1 },
    { kind: 'aim', figure: 'mbps', of: `ours ${single}`, to: `vde ${single}`, least: 0.9 },
    { kind: 'aim', figure: 'medianMs', of: `vde ${single}`, to: `ours ${single}`, least: 10 },
    // The way is as narrow as it is meant to be, and full.
    { kind: 'floor', figure: 'mbps', of: `vde ${single}`, least: 7 },
    { kind: 'floor', figure: 'mbps', of: `vde ${single}`, most: 10 },
  ]
})

await main({
  name: 'latency',
  columns: LATENCY_COLUMNS,
  candidates,
  rules,
  rounds: 1,
  notes: [
    'Lab PC - site - WAN - hub - far host; the WAN passes 10 Mbit/s one way (tbf, 50 ms), any rate the other.',
    `up: the site's side is narrow, traffic goes to the far host; down: the hub's side is, traffic comes from it.`,
    `${FLOWS} flows: TCP CUBIC. UDP: 20 Mbit/s, 1200 octets each. 5 s later 300 pings from the PC, 20 a second.`,
    `${TUNNELS} tunnels: to one bridge through one narrow port; load spread over ${FLOWS} of them, one of which pings.`,
    'Peers: one tunnel. Round trips are those of answered pings.',
    cipherNote,
  ],
})
