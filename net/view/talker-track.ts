/** One talker from snapshot to snapshot. Pure. */
import { NO_COUNTS, countsSince, perSecond, type Counts, type Flow } from '#net/view/flow.ts'
import type { ViewTalker } from '#net/view/source.ts'
import { plainText } from '#net/view/text.ts'

export interface TalkerRow extends Flow {
  readonly address: string
  readonly vlan: number
  readonly bridge: string
  readonly port: number
}

export interface TalkerTrack {
  last: Counts
  baseline: Counts
  row: TalkerRow
}

/**
 * The talker as it is now. One that is new began to talk after the snapshot before.
 * @param known  as it was in the snapshot before
 * @param seconds  since then, 0: there was none
 */
export function trackTalker(
  known: TalkerTrack | undefined,
  talker: ViewTalker,
  seconds: number,
): TalkerTrack {
  const { address, vlan, bridge, port, frames, octets } = talker
  const now: Counts = { frames, octets }
  const isBack = known !== undefined && (frames < known.last.frames || octets < known.last.octets)
  const last = isBack ? NO_COUNTS : (known?.last ?? NO_COUNTS)
  const baseline = isBack ? NO_COUNTS : (known?.baseline ?? NO_COUNTS)
  const row: TalkerRow = {
    address: plainText(address),
    vlan,
    bridge: plainText(bridge),
    port,
    ...countsSince(now, baseline),
    framesPerSecond: perSecond(frames - last.frames, seconds),
    octetsPerSecond: perSecond(octets - last.octets, seconds),
  }
  return { last: now, baseline, row }
}

/** Counts of the talker begin anew. */
export function resetTalker(track: TalkerTrack): void {
  track.baseline = track.last
  track.row = { ...track.row, ...NO_COUNTS }
}
