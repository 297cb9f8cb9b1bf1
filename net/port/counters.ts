/**
 * Counters of one port, in wire frames: a super-frame counts as the frames that the wire carries for it.
 * IN is what the switch received from the port, OUT what it sent to it; octets are without the FCS.
 */

/** Why a frame went no further. The names are the ones that people see. */
const DROP_REASONS = [
  'short', // under 14 octets, or cut short
  'too-big', // longer than the port or the tunnel carries
  'bad-offload', // virtio header that cannot be true, or a super-frame that the kernel cannot express
  'link-down', // interface down or absent, tunnel not connected
  'queue-full', // the port, or its queue, takes no more now
  'vlan', // the port does not carry this VLAN
  'strict', // QinQ port set to strict: the frame has no customer tag
  'kernel', // the kernel lost it before we could read it
  'io', // any other refusal of the system
  'delay', // latency control: it waited too long
  'tunnel', // a packet of the tunnel's own connection
  'stp', // the spanning tree keeps the port from forwarding
  'loop', // loop protection has shut the port for a while
  'storm', // guard: more frames a second than the port may send
  'block-dhcp', // guard: answers of a DHCP server
  'block-ra', // guard: IPv6 router advertisements
  'block-bpdu', // guard: spanning-tree BPDUs
  'block-pause', // guard: MAC control frames
  'loss', // impairment: lost on purpose
  'rate', // impairment: the queue before the rate limit is full
  'malformed', // whoever it is for cannot read it
] as const
type DropReason = (typeof DROP_REASONS)[number]

export const DROP_SHORT = 0
export const DROP_TOO_BIG = 1
export const DROP_BAD_OFFLOAD = 2
export const DROP_LINK_DOWN = 3
export const DROP_QUEUE_FULL = 4
export const DROP_VLAN = 5
export const DROP_STRICT = 6
export const DROP_KERNEL = 7
export const DROP_IO = 8
export const DROP_DELAY = 9
export const DROP_TUNNEL = 10
export const DROP_STP = 11
export const DROP_LOOP = 12
export const DROP_STORM = 13
export const DROP_BLOCK_DHCP = 14
export const DROP_BLOCK_RA = 15
export const DROP_BLOCK_BPDU = 16
export const DROP_BLOCK_PAUSE = 17
export const DROP_LOSS = 18
export const DROP_RATE = 19
export const DROP_MALFORMED = 20

export const DROP_REASON_COUNT = DROP_REASONS.length

/** The name that people see, of a DROP_*. */
export const dropReasonName = (reason: number): string => DROP_REASONS[reason] ?? 'io'

/** The DROP_* of a name, -1 when there is none. */
export const dropReason = (name: string): number => DROP_REASONS.findIndex((reason) => reason === name)

/** A copy of the counters for people and machines: drops of 0 are left out. */
export interface CounterReading {
  readonly inFrames: number
  readonly inOctets: number
  readonly outFrames: number
  readonly outOctets: number
  readonly inDrops: Partial<Record<DropReason, number>>
  readonly outDrops: Partial<Record<DropReason, number>>
}

export class PortCounters {
  inFrames = 0.5
  inOctets = 0.5
  outFrames = 0.5
  outOctets = 0.5
  /** Indexed by DROP_*. */
  readonly inDrops = new Float64Array(DROP_REASON_COUNT)
  readonly outDrops = new Float64Array(DROP_REASON_COUNT)
  /** Octets of the longest wire frame that was too big to be sent to the port, since whoever tells of it set this to 0. */
  longestTooBig = 0

  constructor() {
    // Started as doubles (0.5), so that the fields never change representation when they pass 2^31.
    this.reset()
  }

  /** Counts wire frames from the port that went no further, by DROP_*. */
  dropIn(reason: number, frames: number): void {
    this.inDrops[reason] = (this.inDrops[reason] ?? 0) + frames
  }

  /** Counts wire frames that could not be sent to the port, by DROP_*. */
  dropOut(reason: number, frames: number): void {
    this.outDrops[reason] = (this.outDrops[reason] ?? 0) + frames
  }

  /** Counts wire frames that were too big to be sent to the port. @param octets  of the longest of them */
  dropTooBig(frames: number, octets: number): void {
    this.dropOut(DROP_TOO_BIG, frames)
    if (octets > this.longestTooBig) this.longestTooBig = octets
  }

  reset(): void {
    this.inFrames = 0
    this.inOctets = 0
    this.outFrames = 0
    this.outOctets = 0
    this.inDrops.fill(0)
    this.outDrops.fill(0)
  }

  read(): CounterReading {
    return {
      inFrames: this.inFrames,
      inOctets: this.inOctets,
      outFrames: this.outFrames,
      outOctets: this.outOctets,
      inDrops: named(this.inDrops),
      outDrops: named(this.outDrops),
    }
  }
}

function named(drops: Float64Array): Partial<Record<DropReason, number>> {
  const out: Partial<Record<DropReason, number>> = {}
  DROP_REASONS.forEach((reason, i) => {
    const n = drops[i] ?? 0
    if (n > 0) out[reason] = n
  })
  return out
}
