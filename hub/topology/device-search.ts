/** Which device somebody means by NAME or TOPOLOGY/NAME. */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'
import { type FoundDevice, fullName } from '#hub/console/device.ts'

const Running = z.array(
  z.object({
    name: z.string(),
    owner: z.string(),
    devices: z.array(z.object({ name: z.string(), state: z.string(), reason: z.string() })),
  }),
)

/**
 * Devices of the running topologies that a user may see: his own and the operators'.
 * @param status  what the supervisor says is running
 * @param user  undefined: an operator, who sees all
 */
export function visibleDevices(status: unknown, user: string | undefined): FoundDevice[] {
  return Running.parse(status)
    .filter(({ owner }) => user === undefined || owner === '' || owner === user)
    .flatMap(({ name, owner, devices }) =>
      devices.map((device, i) => ({
        topology: name,
        owner,
        device: device.name,
        number: i + 1,
        state: device.state,
        reason: device.reason,
      })),
    )
}

/**
 * TOPOLOGY/DEVICE, or DEVICE: that of a topology of the user's own, else of another one.
 * @throws ProtocolError `unknown-device`, `ambiguous` with the full names
 */
export function findDevice(
  devices: readonly FoundDevice[],
  wanted: string,
  user: string | undefined,
): FoundDevice {
  const named = devices.filter((one) => wanted === one.device || wanted === fullName(one))
  const own = named.filter(({ owner }) => owner === user)
  const found = own.length > 0 ? own : named
  const [first, ...more] = found
  if (first && more.length === 0) return first
  if (first)
    throw new ProtocolError(
      'ambiguous',
      `${wanted} may be ${found.map(fullName).join(' or ')} (say which: TOPOLOGY/DEVICE)`,
    )
  const [whose, list] = user === undefined ? ['', 'hybridge device list'] : [' of yours', 'devices']
  throw new ProtocolError(
    'unknown-device',
    `no running topology${whose} has a device ${JSON.stringify(wanted)} (\`${list}\` lists them)`,
  )
}
