/**
 * A site with many LANs of one lab PC each, and an agent for each LAN, and the hub of all of them.
 *
 *   [pc1 eth0]---[lan1  site  wan]---[wan  hub]
 *   [pc2 eth0]---[lan2           ]
 *    10.99.0.2        10.98.0.1        10.98.0.2
 */
import { startAgent, type AgentOptions } from '#test/support/agent.ts'
import type { CounterReading } from '#net/port/counters.ts'
import type { Hub } from '#test/support/hub.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'
import { join } from 'node:path'
import type { Running } from '#test/support/process.ts'
import { HUB_ADDRESS } from '#test/support/site.ts'

/** Agents that start at a time. */
const AT_ONCE = 4

export interface Lan {
  /** From 1. */
  readonly number: number
  readonly pc: Namespace
  /** Of the lab PC. */
  readonly address: string
  /** Of the site's machine. */
  readonly nic: string
}

export interface Lans {
  readonly lans: readonly Lan[]
  readonly site: Namespace
  readonly hub: Namespace
}

export function buildLans(lab: Lab, count: number): Lans {
  const site = lab.namespace('site')
  const hub = lab.namespace('hub')
  lab.link(site, 'wan', hub, 'wan')
  site.address('wan', '10.98.0.1/24')
  hub.address('wan', `${HUB_ADDRESS}/24`)
  const lans = Array.from({ length: count }, (_, i) => {
    const lan = {
      number: i + 1,
      pc: lab.namespace(`pc${i + 1}`),
      address: `10.99.0.${i + 1}`,
      nic: `lan${i + 1}`,
    }
    lab.link(lan.pc, 'eth0', site, lan.nic)
    lan.pc.address('eth0', `${lan.address}/24`)
    return lan
  })
  return { lans, site, hub }
}

/** An agent for each LAN, a few starting at a time; resolves when all are connected. */
export async function startAgents(
  { lans, site }: Lans,
  hub: Hub,
  options: Pick<AgentOptions, 'interval'> = {},
): Promise<Running[]> {
  const knownHosts = join(site.directory, 'known_hosts')
  const agents: Running[] = []
  const start = async ({ number, nic }: Lan): Promise<void> => {
    agents[number - 1] = await startAgent(site, { hub, nic, knownHosts, json: true, ...options })
  }
  const [first, ...others] = lans
  if (first) await start(first) // which writes the hub's key
  while (others.length > 0) await Promise.all(others.splice(0, AT_ONCE).map(start))
  return agents
}

export interface HubPort {
  readonly name: string
  readonly number: number
  readonly up: boolean
  readonly counters: CounterReading
}

/** Ports of `private0`, by number. */
export async function portsOf(hub: Hub): Promise<HubPort[]> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  return JSON.parse(stdout)
}
