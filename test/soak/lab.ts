/**
 * Two pairs of hosts, each LAN with a switch, so that no host sees what happens to the interfaces named `lan`:
 *
 *   [pc  eth0]---[pc   (bridge)          ]                                        [          (bridge)   far]---[eth0  far]
 *   [pc2 eth0]---[pc2   switch1      port]---[lan  site  wan]---[site wan hub]---[wan  hub  lan]---[port  switch2 far2]---[eth0 far2]
 *
 * The first pair has an MTU of 1500, the second one of 9000.
 */
import type { Lab, Namespace } from '#test/support/netns.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS } from '#test/support/site.ts'

const JUMBO_MTU = 9000
const SWITCH_MTU = 9216
export const PC2_ADDRESS = '10.99.0.3'
export const FAR2_ADDRESS = '10.99.0.4'

export interface SoakLab {
  pc: Namespace
  pc2: Namespace
  /** Runs the agent. */
  site: Namespace
  /** Bridges its interfaces `site` and `hub`. */
  wan: Namespace
  hub: Namespace
  far: Namespace
  far2: Namespace
  /** Makes the agent's interface `lan` again after it was deleted, with its MAC address. */
  plugSite: (mac: string) => void
}

export function buildSoakLab(lab: Lab): SoakLab {
  const [pc, pc2, switch1] = [lab.namespace('pc'), lab.namespace('pc2'), lab.namespace('switch1')]
  const [site, wan, hub] = [lab.namespace('site'), lab.namespace('wan'), lab.namespace('hub')]
  const [far, far2, switch2] = [lab.namespace('far'), lab.namespace('far2'), lab.namespace('switch2')]
  lan(lab, switch1, { pc, pc2 })
  lan(lab, switch2, { far, far2 })
  const plug = (at: Namespace, end: Namespace, mac?: string): void => {
    lab.link(at, 'port', end, 'lan', { ...(mac !== undefined && { farAddress: mac }) })
    at.ip('link', 'set', 'port', 'mtu', String(SWITCH_MTU), 'master', 'br0')
  }
  const plugSite = (mac: string): void => plug(switch1, site, mac)
  plug(switch1, site)
  plug(switch2, hub)
  lab.link(site, 'wan', wan, 'site')
  lab.link(wan, 'hub', hub, 'wan')
  wan.bridge('br0', ['site', 'hub'])
  pc.address('eth0', `${PC_ADDRESS}/24`)
  pc2.address('eth0', `${PC2_ADDRESS}/24`)
  far.address('eth0', `${FAR_ADDRESS}/24`)
  far2.address('eth0', `${FAR2_ADDRESS}/24`)
  site.address('wan', '10.98.0.1/24')
  hub.address('wan', `${HUB_ADDRESS}/24`)
  return { pc, pc2, site, wan, hub, far, far2, plugSite }
}

/** A switch with a cable to each host; the names of hosts that end in 2 stand for long frames. */
function lan(lab: Lab, middle: Namespace, hosts: Readonly<Record<string, Namespace>>): void {
  for (const [name, host] of Object.entries(hosts)) {
    lab.link(host, 'eth0', middle, name)
    middle.ip('link', 'set', name, 'mtu', String(SWITCH_MTU))
    if (name.endsWith('2')) host.ip('link', 'set', 'eth0', 'mtu', String(JUMBO_MTU))
  }
  middle.bridge('br0', Object.keys(hosts))
  middle.ip('link', 'set', 'br0', 'mtu', String(SWITCH_MTU))
}
