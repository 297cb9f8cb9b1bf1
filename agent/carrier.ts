/** Refuses to bridge the interface that carries the tunnel itself. */
import { execFile } from 'node:child_process'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'

import { z } from 'zod'

import { EXIT_CARRIES_TUNNEL, ExitError } from '#agent/exit-codes.ts'
import { carriersOf, plainAddress } from '#net/port/nic/carrier.ts'

/** @throws ExitError EXIT_CARRIES_TUNNEL when the connection goes through `nic` */
export async function refuseCarrier(nic: string, socket: Socket): Promise<void> {
  const { localAddress, remoteAddress } = socket
  if (localAddress === undefined || remoteAddress === undefined) return
  const device = await routeDevice(plainAddress(remoteAddress))
  if (!carriersOf(localAddress, device === undefined ? [] : [device]).has(nic)) return
  throw new ExitError(
    EXIT_CARRIES_TUNNEL,
    `${nic} carries the connection to the hub (${plainAddress(remoteAddress)}) and cannot be bridged: bridge a second ` +
      'interface (-n NIC; in a virtual machine add one), reach the hub through another one (ip route), or bridge it all ' +
      'the same with --allow-uplink, which keeps the connection itself out of the bridge',
  )
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
