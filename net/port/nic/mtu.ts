/** The MTU of a bridged interface: how far it is raised, and what is said when the driver refuses. */
import { MAX_WIRE_FRAME } from '#net/port/port.ts'

/** IPv4 over anything (RFC 791). */
export const MIN_MTU = 68
export const MAX_MTU = MAX_WIRE_FRAME
export const isMtu = (octets: number): boolean =>
  Number.isInteger(octets) && octets >= MIN_MTU && octets <= MAX_MTU

/** 1500 octets of payload under four tags. */
export const LEAST_MTU = 1500 + 4 * 4
/** Drivers differ in what they take. */
const STEPS = [MAX_MTU, 9202, 9000, 4000, 2000, LEAST_MTU, 1508, 1504]
const ETHERNET = 14
/** A frame whose outer tag is 8100 may be longer by that tag: IEEE 802.3 clause 3.2.7, packet_snd() of the kernel. */
export const EXTRA_TAG = 4

/** What the MTU is to be, in octets. */
export interface MtuGoal {
  /** Tried first. */
  readonly wanted: number
  /** Less is worth a warning. */
  readonly due: number
}

export interface MtuUse {
  /** By the user. Undefined: as far as the product goes. */
  readonly asked: number | undefined
  /** The machine has an address of its own on the interface. */
  readonly hasAddress: boolean
  /** The interface carries the tunnel. */
  readonly isUplink: boolean
}

/**
 * A machine that has an address on the interface offers TCP peers segments as long as the MTU, which the LAN's other
 * members may not take: only what tags need is added there, and on the uplink nothing.
 */
export function mtuGoal({ asked, hasAddress, isUplink }: MtuUse): MtuGoal {
  if (asked !== undefined) return { wanted: asked, due: asked }
  if (isUplink) return { wanted: 0, due: 0 }
  return { wanted: hasAddress ? LEAST_MTU : MAX_MTU, due: LEAST_MTU }
}

/** MTUs to try in turn until the driver takes one: never lower than it has. */
export const mtuSteps = (goal: MtuGoal, before: number): number[] =>
  [goal.wanted, ...STEPS.filter((step) => step < goal.wanted)].filter((step) => step > before)

/** Longest wire frame in octets that an interface with this MTU sends; of frames without a tag, four octets less. */
export const longestFrame = (mtu: number): number => mtu + ETHERNET + EXTRA_TAG

/** @param reason  why the driver refused more */
export const mtuWarning = (name: string, mtu: number, reason: string): string =>
  `${name} keeps an MTU of ${mtu}: frames over ${mtu + ETHERNET} octets, with a VLAN tag ${longestFrame(mtu)}, do not ` +
  `pass (${reason})`
