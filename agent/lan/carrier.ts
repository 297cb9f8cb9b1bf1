/** Refuses to bridge the interface that carries the tunnel itself. */
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import { EXIT_CARRIES_TUNNEL, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import { addressesOf } from '#agent/way/tcp.ts'
import { wireguardEndpoints } from '#agent/lan/wireguard.ts'
import { SystemError } from '#net/base/errors.ts'
import { carriersOf, plainAddress } from '#net/port/nic/carrier.ts'
import { canonicalName } from '#net/port/nic/link.ts'
import { outerCarriers } from '#net/port/nic/outer-carrier.ts'

/** How long names are looked up only to know sooner. */
const SOON_MS = 1000

/**
 * As `refuseCarrier`, of what is known before there is a connection: an interface that would be refused is not changed
 * first. Whatever is not known soon and for certain is left to `refuseCarrier`.
 *
 * @throws ExitError EXIT_CARRIES_TUNNEL when the way to every address of the hub goes through `nic`
 */
export async function refuseWay(nic: string, host: string): Promise<void> {
  const giveUp = new AbortController()
  const addresses = await Promise.race([
    addressesOf(host).catch(() => []),
    pause(SOON_MS, [], { ref: false, signal: giveUp.signal }).catch(() => []),
  ])
  giveUp.abort()
  const name = canonicalName(nic)
  const [hub] = addresses
  if (hub !== undefined && addresses.every((address) => carriesTo(name, address))) throw refusal(name, hub)
}

function carriesTo(nic: string, address: string): boolean {
  try {
    return carriersOf('', address).certain.has(nic)
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
}

const refusal = (nic: string, hub: string): ExitError =>
  new ExitError(
    EXIT_CARRIES_TUNNEL,
    `${nic} carries the connection to the hub (${hub}) and cannot be bridged: bridge a second ` +
      'interface (-n NIC; in a virtual machine add one), reach the hub through another one (ip route), or bridge it all ' +
      'the same with --allow-uplink, which keeps the connection itself out of the bridge',
  )

/**
 * @param nic  what it is called now, by no other name of it
 * @throws ExitError EXIT_CARRIES_TUNNEL when the connection goes through `nic`, or may go through it;
 *   EXIT_OTHER when the system does not tell
 */
export async function refuseCarrier(nic: string, socket: Socket): Promise<void> {
  try {
    await lookForCarrier(nic, socket)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new ExitError(EXIT_OTHER, error.message, { cause: error })
  }
}

async function lookForCarrier(nic: string, socket: Socket): Promise<void> {
  const { localAddress, remoteAddress } = socket
  if (localAddress === undefined || remoteAddress === undefined) return
  const hub = plainAddress(remoteAddress)
  const carriers = carriersOf(localAddress, remoteAddress)
  if (carriers.certain.has(nic)) throw refusal(nic, hub)
  if (carriers.opaque.length === 0) return
  const names = carriers.opaque.map(({ name }) => name)
  if (!outerCarriers(carriers, await wireguardEndpoints(names)).has(nic)) return
  throw new ExitError(
    EXIT_CARRIES_TUNNEL,
    `${nic} may carry the connection to the hub (${hub}) and is not bridged: the connection goes through ` +
      `${names.join(', ')}, and nothing tells that the packets of that leave by another interface. Bridge one without ` +
      'routes (-n NIC), reach the hub by another way (ip route), or, if they leave by another one, bridge it all the ' +
      'same with --allow-uplink',
  )
}
