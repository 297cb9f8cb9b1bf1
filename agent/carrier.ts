/** Refuses to bridge the interface that carries the tunnel itself. */
import type { Socket } from 'node:net'

import { EXIT_CARRIES_TUNNEL, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import { wireguardEndpoints } from '#agent/wireguard.ts'
import { SystemError } from '#net/base/errors.ts'
import { carriersOf, plainAddress } from '#net/port/nic/carrier.ts'
import { outerCarriers } from '#net/port/nic/outer-carrier.ts'

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
  if (carriers.certain.has(nic))
    throw new ExitError(
      EXIT_CARRIES_TUNNEL,
      `${nic} carries the connection to the hub (${hub}) and cannot be bridged: bridge a second ` +
        'interface (-n NIC; in a virtual machine add one), reach the hub through another one (ip route), or bridge it all ' +
        'the same with --allow-uplink, which keeps the connection itself out of the bridge',
    )
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
