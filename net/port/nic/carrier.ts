/**
 * Which interfaces carry a connection. A tunnel must not have its own carrier among the ports that it joins: its
 * packets would go into the tunnel, and each of them make more.
 */
import { readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

const MAX_DEPTH = 8

/** The interfaces with the local `address` of a connection, those `more` names, and all that they are built on. */
export function carriersOf(address: string, more: readonly string[] = []): Set<string> {
  return withLowers([...ownersOf(address, networkInterfaces()), ...more], lowerInterfaces)
}

/** Interfaces that have the address; a zone (`%eth0`) names its own. */
export function ownersOf(
  address: string,
  interfaces: Readonly<Record<string, readonly { address: string }[] | undefined>>,
): string[] {
  const [plain, zone] = plainAddress(address).split('%')
  if (zone !== undefined) return [zone]
  return Object.keys(interfaces).filter((name) => interfaces[name]?.some((owned) => owned.address === plain))
}

/** The interfaces and all that they are built on: the ports of a bridge or bond, the parent of a VLAN. */
export function withLowers(
  names: readonly string[],
  lowersOf: (name: string) => readonly string[],
): Set<string> {
  const found = new Set<string>()
  const visit = (name: string, depth: number): void => {
    if (found.has(name) || depth > MAX_DEPTH) return
    found.add(name)
    for (const lower of lowersOf(name)) visit(lower, depth + 1)
  }
  for (const name of names) visit(name, 0)
  return found
}

/** An IPv4 address that a dual-stack socket shows as `::ffff:10.0.0.1`, as people know it. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

function lowerInterfaces(name: string): string[] {
  try {
    return readdirSync(`/sys/class/net/${name}`)
      .filter((entry) => entry.startsWith('lower_'))
      .map((entry) => entry.slice('lower_'.length))
  } catch {
    return []
  }
}
