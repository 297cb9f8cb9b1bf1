/**
 * A site whose hub is far away: the WAN between them is a bridge of a hub of ours, with a delay each way, made by its
 * impaired links (docs/impairment.md).
 *
 *   [pc eth0]---[lan  site  wan]---[site  delay  hub]---[wan  hub  lan]---[eth0 far]
 */
import { Hub } from '#test/support/hub.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'
import { buildSite, type Site } from '#test/support/site.ts'

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
