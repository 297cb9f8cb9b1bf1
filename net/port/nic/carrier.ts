/**
 * Which interfaces carry a connection. A tunnel must not have its own carrier among the ports that it joins: its
 * packets would go into the tunnel, and each of them make more.
 */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { linkIndex } from '#net/port/nic/link.ts'
import { type Link, readLinks } from '#net/port/nic/link-table.ts'
import { type RouteQuestion, routeTo } from '#net/port/nic/route.ts'
import { addressOctets } from '#net/wire/ip-address.ts'

const MAX_DEPTH = 8
/** Software interfaces without anything below that send nothing out by another way. */
const CLOSED_KINDS = ['veth', 'netkit', 'bridge', 'bond', 'team', 'vrf', 'dummy', 'ifb', 'nlmon']

export interface Carriers {
  /** Names of those that the packets pass. */
  readonly certain: ReadonlySet<string>
  /** Those of them, as a VPN's, whose packets leave in others by a way that the system does not tell here. */
  readonly opaque: readonly Link[]
}

/** Both addresses are numeric, of one connection; the local one may be empty, not known yet. @throws SystemError */
export function carriersOf(localAddress: string, remoteAddress: string): Carriers {
  const owners = ownersOf(localAddress, networkInterfaces())
  if (process.platform !== 'linux') return { certain: new Set(owners), opaque: [] }
  const links = readLinks()
  const device = deviceTo(plainAddress(remoteAddress), plainAddress(localAddress))
  const way = links.filter(({ index, name }) => index === device || owners.includes(name))
  return carriersAmong(links, way)
}

/** Interfaces that have the address; a zone (`%eth0`) names its own. */
export function ownersOf(
  address: string,
  interfaces: Readonly<Record<string, readonly { address: string }[] | undefined>>,
): string[] {
  const [plain, zone] = plainAddress(address).split('%')
  if (zone !== undefined) return [zone]
  const owned = Object.keys(interfaces).filter((name) => interfaces[name]?.some((a) => a.address === plain))
  // The system calls an address by its label, `eth0:1`.
  return owned.map((name) => name.split(':', 1)[0] ?? name)
}

/** The carriers of what passes the interfaces `way`, which are among `links`. */
export function carriersAmong(links: readonly Link[], way: readonly Link[]): Carriers {
  const passed = withLowers(links, way)
  return {
    certain: new Set(passed.map(({ name }) => name)),
    opaque: passed.filter((l) => isOpaque(links, l)),
  }
}

/** The interfaces and all that they are built on: the ports of a bridge or bond, the parent of a VLAN. */
export function withLowers(links: readonly Link[], some: readonly Link[]): Link[] {
  const found = new Set<Link>()
  const visit = (link: Link, depth: number): void => {
    if (found.has(link) || depth > MAX_DEPTH) return
    found.add(link)
    for (const lower of lowersOf(links, link)) visit(lower, depth + 1)
  }
  for (const link of some) visit(link, 0)
  return [...found]
}

const lowersOf = (links: readonly Link[], link: Link): Link[] =>
  links.filter(
    (other) =>
      other.master === link.index || (!link.isAcross && link.link !== 0 && other.index === link.link),
  )

const isOpaque = (links: readonly Link[], link: Link): boolean =>
  !link.isHardware &&
  !link.isAcross &&
  !CLOSED_KINDS.includes(link.kind) &&
  lowersOf(links, link).length === 0

/** Index of the interface that the kernel would use; 0: none. */
function deviceTo(address: string, from: string): number {
  const [plain = '', zone] = address.split('%')
  if (zone !== undefined) return linkIndex(zone)
  if (isIP(plain) === 0) return 0
  const question: RouteQuestion = { to: addressOctets(plain) }
  const source = addressOctets(from.split('%')[0] ?? '')
  const isSameFamily = source.length === question.to.length
  // Without its source when that address is gone meanwhile.
  return (isSameFamily && routeTo({ ...question, from: source })) || routeTo(question)
}

/** An IPv4 address that a dual-stack socket shows as `::ffff:10.0.0.1`, as people know it. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
