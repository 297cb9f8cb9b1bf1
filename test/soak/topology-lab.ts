/**
 * Two topologies of a hub, and a LAN that is plugged into one of them:
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub]   one:  (private0)---[h1], [h2]
 *    10.99.0.1     hconnect                                       two:  (private0)---[h1], [h2]
 *
 * h1 of each is 10.99.0.11, h2 is 10.99.0.12, by their configurations.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import type { Lab } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { buildSite, HUB_ADDRESS } from '#test/support/site.ts'
import { RunningTopology } from '#test/support/topology.ts'

export const TOPOLOGIES = ['one', 'two'] as const
export type TopologyName = (typeof TOPOLOGIES)[number]
/** Between h1 and h2 of a topology, and from the PC through the tunnel to h1 of `one`. */
export const WAYS = ['one', 'two', 'tunnel'] as const
export type Way = (typeof WAYS)[number]

const ADDRESSES = { h1: '10.99.0.11', h2: '10.99.0.12' } as const
const FILE = `#include "common.defs"
config "two-hosts" {
  vm "h1" { CENTOS_LATEST install "h1.conf" "/root/host.conf"; interface "em1" { bridge "private0"; }; };
  vm "h2" { CENTOS_LATEST install "h2.conf" "/root/host.conf"; interface "em1" { bridge "private0"; }; };
};
`

export interface TopologyLab {
  readonly hub: Hub
  readonly topologies: Readonly<Record<TopologyName, RunningTopology>>
  readonly pings: Readonly<Record<Way, Ping>>
}

export async function buildTopologyLab(lab: Lab): Promise<TopologyLab> {
  const { pc, site, hub: machine } = buildSite(lab)
  const hub = await Hub.start(machine, { address: HUB_ADDRESS, bridges: [] })
  const [one, two] = await Promise.all([start(hub, lab, 'one'), start(hub, lab, 'two')])
  await startAgent(site, { hub, nic: 'lan', bridge: 'one/private0', interval: 10 })
  const [inOne, inTwo] = await Promise.all([one.device(1), two.device(1)])
  const [first, second, tunnel] = await Promise.all([
    Ping.start(inOne, ADDRESSES.h2),
    Ping.start(inTwo, ADDRESSES.h2),
    Ping.start(pc, ADDRESSES.h1),
  ])
  return { hub, topologies: { one, two }, pings: { one: first, two: second, tunnel } }
}

/** As an operator does it: from a directory. */
async function start(hub: Hub, lab: Lab, name: TopologyName): Promise<RunningTopology> {
  const set = join(lab.directory, name)
  mkdirSync(set)
  writeFileSync(join(set, 'topology.vmm'), FILE)
  for (const [host, address] of Object.entries(ADDRESSES))
    writeFileSync(join(set, `${host}.conf`), `interfaces:\n  em1:\n    addresses: [${address}/24]\n`)
  await hub.command(['topology', 'start', set], { timeoutMs: 60_000 })
  return new RunningTopology(hub, name)
}
