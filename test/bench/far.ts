/** `npm run bench -- far`: TCP through a tunnel whose way is 50 ms long each way. */
import { main } from '#test/bench/bench.ts'
import {
  FAR_COLUMNS,
  FINDING_SECONDS,
  measureFar,
  SECONDS,
  type FarFigures,
} from '#test/bench/far-measure.ts'
import { buildFarSite, buildSmallBuffers, tuneHost } from '#test/bench/far-site.ts'
import type { Way } from '#test/bench/measure.ts'
import { BULK, cipherNote, ourTunnel } from '#test/bench/ours.ts'
import { sshTunnel, vdeOverSsh } from '#test/bench/peers.ts'
import type { Candidate } from '#test/bench/rounds.ts'
import type { Rule } from '#test/bench/rules.ts'
import type { Lab } from '#test/support/netns.ts'
import { startAgent } from '#test/support/agent.ts'
import { FAR_ADDRESS, HUB_ADDRESS, type Site } from '#test/support/site.ts'

/** Between the machines that the tunnel joins, without one: what the emulated path carries. */
function wan(_lab: Lab, { site, hub }: Site): Promise<Way> {
  tuneHost(site)
  tuneHost(hub)
  return Promise.resolve({ from: site, to: hub, address: HUB_ADDRESS, joining: [] })
}

const SCENARIOS = [
  { scenario: 'clean', title: '100 ms', impairment: 'delay=50ms' },
  { scenario: 'loss', title: '100 ms, 1 % lost', impairment: 'delay=50ms,loss=1%' },
]

const CANDIDATES = [
  { name: 'wan', title: 'the path itself', build: wan },
  { name: 'ssh', title: 'ssh -w', build: sshTunnel },
  { name: 'vde', title: 'VDE over SSH', build: vdeOverSsh, onRequest: true },
  { name: 'ours', title: 'hybridge', build: (lab: Lab, site: Site) => ourTunnel(lab, site) },
  {
    name: 'bulk',
    title: 'hybridge --no-latency-control',
    build: (lab: Lab, site: Site) => ourTunnel(lab, site, BULK),
    onRequest: true,
  },
]

const candidates = SCENARIOS.flatMap(({ scenario, title: path, impairment }): Candidate<FarFigures>[] =>
  CANDIDATES.map(({ build, title, ...candidate }) => ({
    ...candidate,
    scenario,
    title: `${title}, ${path}`,
    measure: async (lab) => measureFar(await build(lab, await buildFarSite(lab, impairment))),
  })),
)

const BUFFER = 1 << 20

/** An agent and a hub that may not force socket buffers, with so many connections. */
async function smallBuffers(lab: Lab, connections: string): Promise<Way> {
  const { pc, site, hub, host, daemon } = await buildSmallBuffers(lab, 'delay=50ms', BUFFER)
  await startAgent(site, { hub: daemon, nic: 'lan', json: true, args: ['--connections', connections] })
  return { from: pc, to: host, address: FAR_ADDRESS, joining: [site, hub] }
}

const SMALL = 'of two agents and a hub, buffers of 1 MiB'
for (const [name, connections, title] of [
  ['single', '1', `one connection ${SMALL}`],
  ['ours', 'auto', `as many as it takes ${SMALL}`],
] as const)
  candidates.push({
    name,
    scenario: 'buffers',
    title,
    measure: async (lab) => measureFar(await smallBuffers(lab, connections)),
  })

const rules = FAR_COLUMNS.flatMap(({ figure }): Rule<FarFigures>[] => [
  { kind: 'bar', figure, of: 'ours clean', to: 'ssh clean', least: 3 },
  { kind: 'aim', figure, of: 'ours loss', to: 'ssh loss', least: 3 },
  // The path carries what the tunnel is to be able to use: more than four windows of 2 MiB each round trip.
  { kind: 'aim', figure, of: 'wan clean', least: 700 },
  // Half of a window of 2 MiB each round trip.
  { kind: 'floor', figure, of: 'ssh clean', least: 40 },
])
for (const figure of ['upEightMbps', 'downEightMbps'] as const)
  rules.push({ kind: 'bar', figure, of: 'ours buffers', to: 'single buffers', least: 1.5 })

await main({
  name: 'far',
  columns: FAR_COLUMNS,
  candidates,
  rules,
  notes: [
    'Lab PC - site - WAN - hub - far host; the WAN is a bridge of a hub of its own with an impaired link (docs/impairment.md).',
    `TCP CUBIC, ${SECONDS} s after the first ${FINDING_SECONDS} s. up: towards the hub; down: from it.`,
    'PC and far host have TCP buffers of 64 MiB, so that they are not the limit; site and hub have those of the machine.',
    'buffers: two agents and a hub between; of those on the far path neither may force buffers, and tcp_wmem stops at 1 MiB.',
    'ssh -w: one channel, with the window of 2 MiB that OpenSSH has.',
    cipherNote,
  ],
})
