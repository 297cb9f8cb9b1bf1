/**
 * The product's situation, each machine a namespace of its own:
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *    10.99.0.1         10.98.0.1      (bridge)       10.98.0.2           10.99.0.2
 */
import type { Lab, Namespace } from '#test/support/netns.ts'

export interface Site {
  /** The lab PC on the site's LAN. */
  pc: Namespace
  /** Runs the agent. */
  site: Namespace
  wan: Namespace
  hub: Namespace
  /** The host on the hub's switch. */
  far: Namespace
}

export const PC_ADDRESS = '10.99.0.1'
export const FAR_ADDRESS = '10.99.0.2'
export const HUB_ADDRESS = '10.98.0.2'

export function buildSite(lab: Lab): Site {
  const pc = lab.namespace('pc')
  const site = lab.namespace('site')
  const wan = lab.namespace('wan')
  const hub = lab.namespace('hub')
  const far = lab.namespace('far')
  lab.link(pc, 'eth0', site, 'lan')
  lab.link(site, 'wan', wan, 'site')
  lab.link(wan, 'hub', hub, 'wan')
  lab.link(hub, 'lan', far, 'eth0')
  wan.bridge('br0', ['site', 'hub'])
  pc.address('eth0', `${PC_ADDRESS}/24`)
  site.address('wan', '10.98.0.1/24')
  hub.address('wan', `${HUB_ADDRESS}/24`)
  far.address('eth0', `${FAR_ADDRESS}/24`)
  return { pc, site, wan, hub, far }
}
