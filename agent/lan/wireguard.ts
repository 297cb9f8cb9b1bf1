/** Where WireGuard interfaces send their packets, as `wg` tells it. */
import { execFile } from 'node:child_process'
import { isIP } from 'node:net'
import { promisify } from 'node:util'

import type { Endpoints } from '#net/port/nic/outer-carrier.ts'
import type { RouteQuestion } from '#net/port/nic/route.ts'
import { addressOctets } from '#net/wire/ip-address.ts'

const TIMEOUT_MS = 2000

/** Of those whose endpoints `wg` tells; the others are left out, also where there is no `wg`. */
export async function wireguardEndpoints(names: readonly string[]): Promise<Endpoints> {
  const found = new Map<string, RouteQuestion[]>()
  for (const name of names) {
    try {
      found.set(name, parseEndpoints(await show(name, 'endpoints'), await show(name, 'fwmark')))
    } catch {
      // What is not known stays left out.
    }
  }
  return found
}

async function show(name: string, what: string): Promise<string> {
  const { stdout } = await promisify(execFile)('wg', ['show', name, what], { timeout: TIMEOUT_MS })
  return stdout
}

/** @param endpoints  a line for each peer, `KEY\t192.0.2.1:51820`; @param fwmark  `off` or `0xca6c` */
export function parseEndpoints(endpoints: string, fwmark: string): RouteQuestion[] {
  const mark = Number(fwmark.trim()) || 0
  return endpoints.split('\n').flatMap((line) => {
    const [, v6, v4] = /\t(?:\[([^\]%]+)[^\]]*\]|([\d.]+)):\d+$/.exec(line) ?? []
    const address = v6 ?? v4 ?? ''
    return isIP(address) === 0 ? [] : [{ to: addressOctets(address), mark }]
  })
}
