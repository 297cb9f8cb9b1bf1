/** The product in the places of its peers. */
import { join } from 'node:path'
import { buildPair, CIPHER, wayOf } from '#test/bench/peers.ts'
import type { Sites } from '#test/bench/bottleneck.ts'
import type { Way } from '#test/bench/measure.ts'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'
import { HUB_ADDRESS, buildSite } from '#test/support/site.ts'

/** One hub, two network cards on one of its switches. */
export async function ourSwitch(lab: Lab): Promise<Way> {
  const way = buildPair(lab)
  way.machine.address('lo', `${HUB_ADDRESS}/32`)
  await Hub.start(way.machine, {
    address: HUB_ADDRESS,
    attach: ['private0=nic:a0', 'private0=nic:b0'],
  })
  return way
}

/** Resolves when the agent has its tunnel, which may be seconds before its first report. */
async function joined(site: Namespace, hub: Hub, args: readonly string[]): Promise<void> {
  await startAgent(site, { hub, nic: 'lan', interval: 10, json: true, args })
}

/** Hub and agent with their defaults and further arguments of the agent. */
export async function ourTunnel(lab: Lab, site = buildSite(lab), args: readonly string[] = []): Promise<Way> {
  const { hub: machine } = site
  const hub = await Hub.start(machine, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  await joined(site.site, hub, args)
  return wayOf(site)
}

/** The same through HTTPS. */
export async function webTunnel(lab: Lab): Promise<Way> {
  const site = buildSite(lab)
  const { hub: machine } = site
  const cert = join(lab.directory, 'cert.pem')
  const key = join(lab.directory, 'key.pem')
  const make = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ${key} -out ${cert}`
  await machine.run('openssl', [
    ...make.split(' '),
    '-subj',
    '/CN=hub',
    '-addext',
    `subjectAltName=IP:${HUB_ADDRESS}`,
  ])
  const hub = await Hub.start(machine, {
    address: HUB_ADDRESS,
    attach: ['private0=nic:lan'],
    args: ['--https', `${HUB_ADDRESS}:443`, '--cert', cert, '--key', key],
  })
  const url = `wss://${HUB_ADDRESS}`
  await startAgent(site.site, { hub, url, nic: 'lan', interval: 10, json: true, args: ['--ca', cert] })
  return wayOf(site)
}

/** Arguments of an agent that is to give no flow preference. */
export const BULK: readonly string[] = ['--no-latency-control']

export const bulkTunnel = (lab: Lab): Promise<Way> => ourTunnel(lab, buildSite(lab), BULK)

/** So many agents start at a time; each needs half a second of processor time. */
const STARTING = 4

/** Tunnels of several sites to one bridge of one hub. */
export async function ourTunnels(
  sites: Sites['sites'],
  machine: Namespace,
  args: readonly string[] = [],
): Promise<void> {
  const hub = await Hub.start(machine, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  for (let i = 0; i < sites.length; i += STARTING) {
    const next = sites.slice(i, i + STARTING)
    await Promise.all(next.map(({ site }) => joined(site, hub, args)))
  }
}

export const cipherNote = `SSH cipher: ${CIPHER}, told to the peers, and what hybridge agrees on by itself.`
