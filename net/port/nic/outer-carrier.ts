/** Which interfaces the packets of a VPN leave by, as far as the system tells. */
import { type Carriers, carriersAmong, withLowers } from '#net/port/nic/carrier.ts'
import { type Link, readLinks } from '#net/port/nic/link-table.ts'
import { type RouteQuestion, routedLinks, routeTo } from '#net/port/nic/route.ts'

/** Where the packets of the interfaces go that make packets of their own for others', by name. */
export type Endpoints = ReadonlyMap<string, readonly RouteQuestion[]>

/** What is to be known of routes. */
export interface Routes {
  /** Index of the interface through which packets leave; 0: there is no way. */
  readonly to: (question: RouteQuestion) => number
  /** Indexes of interfaces that have routes. */
  readonly all: () => ReadonlySet<number>
}

/**
 * Names of all interfaces by which the packets of `carriers.opaque` may leave: those towards the endpoints, or where
 * these are not known or their way is not clear, all that have a route. @throws SystemError
 */
export const outerCarriers = (carriers: Carriers, endpoints: Endpoints = new Map()): Set<string> =>
  outerAmong(readLinks(), carriers.opaque, endpoints, { to: routeTo, all: routedLinks })

export function outerAmong(
  links: readonly Link[],
  opaque: readonly Link[],
  endpoints: Endpoints,
  routes: Routes,
): Set<string> {
  const found = new Set<string>()
  for (const link of opaque) {
    const known = endpoints.get(link.name) ?? (link.remote === undefined ? [] : [{ to: link.remote }])
    const names = clearWay(links, known, routes) ?? everyWay(links, routes)
    for (const name of names) found.add(name)
  }
  return found
}

/** Undefined when the way to one of the endpoints is not known, or leads through a VPN itself. */
function clearWay(
  links: readonly Link[],
  endpoints: readonly RouteQuestion[],
  routes: Routes,
): Iterable<string> | undefined {
  if (endpoints.length === 0) return undefined
  const devices = endpoints.map((endpoint) => routes.to(endpoint))
  if (devices.includes(0)) return undefined
  const { certain, opaque } = carriersAmong(
    links,
    links.filter(({ index }) => devices.includes(index)),
  )
  return opaque.length === 0 ? certain : undefined
}

function everyWay(links: readonly Link[], routes: Routes): string[] {
  const routed = routes.all()
  return withLowers(
    links,
    links.filter(({ index }) => routed.has(index)),
  ).map(({ name }) => name)
}
