/**
 * What the process of a device tells the fabric over DEVICE_TAPS_SOCKET: one JSON line with all its interfaces that are
 * connected, in the order of the plan; the first comes with their descriptors, another one after each change.
 */
import { ProtocolError } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'

/** Octets of a line with its end: of 64 interfaces, their names escaped. */
export const LONGEST_TAPS_LINE = 16_384
const MOST_INTERFACES = 64
const LONGEST_NAME = 15
const MOST_MTU = 65_535

export interface TapState {
  readonly name: string
  /** Set up by the device. */
  readonly up: boolean
  /** Octets of payload. */
  readonly mtu: number
}

export const formatTapStates = (states: readonly TapState[]): string => `${JSON.stringify(states)}\n`

/** @throws ProtocolError `malformed` */
export function parseTapStates(line: string): readonly TapState[] {
  const states = valueOf(line)
  if (Array.isArray(states) && states.length <= MOST_INTERFACES && states.every(isTapState)) return states
  throw new ProtocolError('malformed', 'a line about interfaces makes no sense')
}

/** Without a schema: each device's process has this in it, and starts in two thirds of the time without zod. */
function isTapState(value: unknown): value is TapState {
  if (!isRecord(value)) return false
  const { name, up, mtu } = value
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) return false
  return typeof up === 'boolean' && Number.isInteger(mtu) && Number(mtu) >= 0 && Number(mtu) <= MOST_MTU
}

function valueOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
