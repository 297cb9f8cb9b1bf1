/**
 * A site whose hub is far away: the WAN between them is a bridge of a hub of ours, with a delay each way, made by its
 * impaired links (docs/impairment.md).
 *
 *   [pc eth0]---[lan  site  wan]---[site  delay  hub]---[wan  hub  lan]---[eth0 far]
 */
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'
import { buildSite, FAR_ADDRESS, HUB_ADDRESS, type Site } from '#test/support/site.ts'

const WAN_BRIDGE = 'br0'
/** Of the hosts whose traffic is measured: 32 MiB under way at most, so that they are not what limits. */
const HOST_BUFFERS = {
  'net.ipv4.tcp_rmem': '4096 131072 67108864',
  'net.ipv4.tcp_wmem': '4096 65536 67108864',
}

/** Gives a host of the measurement TCP buffers for a far path. */
export const tuneHost = (host: Namespace): void => host.sysctl(HOST_BUFFERS)

/** @param impairment  of each direction, as `hybridge bridge port set ... impair=` takes it */
export async function buildFarSite(lab: Lab, impairment: string): Promise<Site> {
  const site = buildSite(lab)
  const { wan } = site
  wan.ip('link', 'delete', WAN_BRIDGE)
  const link = `private0=nic:site,impair=${impairment.replaceAll(',', '+')}`
  await Hub.start(wan, { address: '127.0.0.1', attach: [link, 'private0=nic:hub'] })
  tuneHost(site.pc)
  tuneHost(site.far)
  return site
}

/** A far site, its hub, and what runs there. */
export interface SmallBuffers extends Site {
  readonly daemon: Hub
  /** At the end of the way from `pc`, with FAR_ADDRESS. */
  readonly host: Namespace
}

/**
 * A far site and a hub that may not force socket buffers, of which their system gives little. Such a hub has no NIC
 * either: what is behind it is another site, close to it, whose agent may.
 *
 *   [pc eth0]---[lan  site  wan]---[site  delay  hub]---[wan  hub  lan]---[eth0  far  lan]---[eth0 host]
 *
 * @param octets  of a send buffer, the most
 */
export async function buildSmallBuffers(lab: Lab, impairment: string, octets: number): Promise<SmallBuffers> {
  const site = await buildFarSite(lab, impairment)
  const { hub, far } = site
  const host = lab.namespace('host')
  lab.link(far, 'lan', host, 'eth0')
  host.address('eth0', `${FAR_ADDRESS}/24`)
  tuneHost(host)
  far.ip('address', 'flush', 'dev', 'eth0')
  far.address('eth0', '10.98.0.22/24')
  far.ip('route', 'replace', `${HUB_ADDRESS}/32`, 'dev', 'eth0')
  hub.ip('route', 'replace', '10.98.0.22/32', 'dev', 'lan')
  for (const machine of [site.site, hub]) {
    machine.lacks = ['net_admin']
    machine.sysctl({ 'net.ipv4.tcp_wmem': `4096 16384 ${octets}` })
  }
  const daemon = await Hub.start(hub, { address: HUB_ADDRESS })
  await startAgent(far, { hub: daemon, nic: 'lan', json: true })
  return { ...site, daemon, host }
}
