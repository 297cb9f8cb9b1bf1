/**
 * Which interfaces carry the tunnel itself. Bridging one of them would send the tunnel's own packets into the tunnel,
 * and put the site's management network into the lab.
 */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'

import { z } from 'zod'

import { EXIT_CARRIES_TUNNEL, ExitError } from '#agent/exit-codes.ts'

const MAX_DEPTH = 8

/** @throws ExitError EXIT_CARRIES_TUNNEL when the connection goes through `nic` */
export async function refuseCarrier(nic: string, socket: Socket): Promise<void> {
  const { localAddress, remoteAddress } = socket
  if (localAddress === undefined || remoteAddress === undefined) return
  const owners = ownersOf(localAddress, networkInterfaces())
  const device = await routeDevice(plainAddress(remoteAddress))
  const carriers = withLowers(device === undefined ? owners : [...owners, device], lowerInterfaces)
  if (!carriers.has(nic)) return
  throw new ExitError(
    EXIT_CARRIES_TUNNEL,
    `${nic} carries the connection to the hub (${plainAddress(remoteAddress)}) and cannot be bridged: bridge a second ` +
      'interface (-n NIC; in a virtual machine add one), or reach the hub through another one (ip route)',
  )
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

const routes = z.array(z.object({ dev: z.string().optional() }))

/** The interface that the kernel would use; undefined when `ip` is missing or does not know. */
async function routeDevice(address: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ip', ['-j', 'route', 'get', address.split('%')[0] ?? ''], {
      timeout: 2000,
    })
    return routes.parse(JSON.parse(stdout))[0]?.dev
  } catch {
    return undefined
  }
}
