/**
 * What the process of a device tells the fabric over DEVICE_TAPS_SOCKET: one JSON line with all its interfaces that are
 * connected, in the order of the plan; the first comes with their descriptors, another one after each change.
 */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'

/** Octets of a line with its end: of 64 interfaces, their names escaped. */
export const LONGEST_TAPS_LINE = 16_384

const TapState = z.object({
  name: z.string().min(1).max(15),
  /** Set up by the device. */
  up: z.boolean(),
  /** Octets of payload. */
  mtu: z.int().min(0).max(65_535),
})
export type TapState = z.infer<typeof TapState>
const TapStates = z.array(TapState).max(64)

export const formatTapStates = (states: readonly TapState[]): string => `${JSON.stringify(states)}\n`

/** @throws ProtocolError `malformed` */
export function parseTapStates(line: string): readonly TapState[] {
  try {
    return TapStates.parse(JSON.parse(line))
  } catch (error) {
    throw new ProtocolError('malformed', 'a line about interfaces makes no sense', { cause: error })
  }
}
