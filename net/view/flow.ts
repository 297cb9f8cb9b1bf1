/** Counts and rates of one direction of a port, or of a talker. */

export interface Flow {
  readonly frames: number
  readonly octets: number
  readonly framesPerSecond: number
  readonly octetsPerSecond: number
}

export interface Counts {
  readonly frames: number
  readonly octets: number
}

export const NO_COUNTS: Counts = { frames: 0, octets: 0 }

/** What was counted since; nothing below 0. */
export const countsSince = (now: Counts, since: Counts): Counts => ({
  frames: Math.max(0, now.frames - since.frames),
  octets: Math.max(0, now.octets - since.octets),
})

/** 0 when no time has passed. */
export const perSecond = (count: number, seconds: number): number =>
  seconds > 0 ? Math.max(0, count) / seconds : 0
