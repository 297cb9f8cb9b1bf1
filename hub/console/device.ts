/** Devices whose consoles can be looked at, as the control process names them to gateways and commands. */
import { z } from 'zod'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'

const ConsoleDevice = z.object({
  topology: z.string().min(1).max(64),
  /** Of the topology; empty: the operators. */
  owner: z.string().max(256),
  device: z.string().min(1).max(64),
  /** Its place in the topology, from 1. */
  number: z.int().min(1).max(512),
  state: z.string().max(32),
  /** Why it does not run; empty when it does. */
  reason: z.string().max(4096),
})
export type FoundDevice = z.infer<typeof ConsoleDevice>

export const parseDevice = (value: unknown): FoundDevice => ConsoleDevice.parse(value)

export const parseDevices = (value: unknown): FoundDevice[] => z.array(ConsoleDevice).parse(value)

export const fullName = ({ topology, device }: Pick<FoundDevice, 'topology' | 'device'>): string =>
  `${topology}/${device}`

/** Why a device will not come back; undefined while it may, or nobody knows. */
export async function whyGone(find: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await find()
    return undefined
  } catch (error) {
    return error instanceof ProtocolError && error.code === 'unknown-device' ? reasonOf(error) : undefined
  }
}
