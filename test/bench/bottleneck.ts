/** Sites whose way to the hub has one narrow place, in the WAN and not at a machine that sends. */
import { FAR_ADDRESS, HUB_ADDRESS, buildSite } from '#test/support/site.ts'
import type { Site } from '#test/support/site.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'

/** Of the load, seen from the site: `up` is narrow towards the hub, `down` towards the site. */
export type Direction = 'up' | 'down'

/** Token bucket filter. Its queue is 50 ms long, and the bucket's 13 ms longer while a steady load keeps that empty. */
function narrow(namespace: Namespace, nic: string): void {
  const bucket = 'rate 10mbit burst 16kb latency 50ms'.split(' ')
  namespace.exec('tc', 'qdisc', 'add', 'dev', nic, 'root', 'tbf', ...bucket)
}

/** The WAN carries frames as a wire does: a super-frame would pass the filter as one, with one header. */
const wireFrames = (machine: Namespace): void => machine.offloads('wan', 'off', ['tso', 'gso'])

export function narrowSite(lab: Lab, ...directions: Direction[]): Site {
  const site = buildSite(lab)
  wireFrames(site.site)
  wireFrames(site.hub)
  for (const direction of directions) narrow(site.wan, direction === 'up' ? 'hub' : 'site')
  return site
}

/** Sites that share the narrow place. */
export interface Sites {
  sites: readonly Pick<Site, 'pc' | 'site'>[]
  hub: Namespace
  far: Namespace
}

/**
 *   [pc1 eth0]---[lan  site1  wan]---[s1  (bridge)  out]---[in  (bridge)  hub]---[wan  hub  lan]---[eth0 far]
 *   [pc2 eth0]---[lan  site2  wan]---[s2             wan                   ]
 *    10.99.0.101       10.98.0.101                                        10.98.0.2             10.99.0.2
 */
export function narrowSites(lab: Lab, direction: Direction, count: number): Sites {
  const wan = lab.namespace('wan')
  const hub = lab.namespace('hub')
  const far = lab.namespace('far')
  lab.link(wan, 'out', wan, 'in')
  lab.link(wan, 'hub', hub, 'wan')
  lab.link(hub, 'lan', far, 'eth0')
  hub.address('wan', `${HUB_ADDRESS}/24`)
  far.address('eth0', `${FAR_ADDRESS}/24`)
  wireFrames(hub)
  const numbers = Array.from({ length: count }, (_, i) => i + 1)
  const sites = numbers.map((n) => {
    const pc = lab.namespace(`pc${n}`)
    const site = lab.namespace(`site${n}`)
    lab.link(pc, 'eth0', site, 'lan')
    lab.link(site, 'wan', wan, `s${n}`)
    pc.address('eth0', `10.99.0.${100 + n}/24`)
    site.address('wan', `10.98.0.${100 + n}/24`)
    wireFrames(site)
    return { pc, site }
  })
  wan.bridge('br-sites', [...numbers.map((n) => `s${n}`), 'out'])
  wan.bridge('br-hub', ['in', 'hub'])
  narrow(wan, direction === 'up' ? 'out' : 'in')
  return { sites, hub, far }
}
