/** One port from snapshot to snapshot: its counts since the view was reset, its rates, and their history. Pure. */
import type { CounterReading } from '#net/port/counters.ts'
import { countsSince, perSecond, type Counts, type Flow } from '#net/view/flow.ts'
import { RateHistory } from '#net/view/history.ts'
import type { ViewPort } from '#net/view/source.ts'
import { plainText } from '#net/view/text.ts'

export interface PortFlow extends Flow {
  /** Wire frames. */
  readonly drops: number
  /** Reason and wire frames, most first. */
  readonly reasons: readonly (readonly [reason: string, frames: number])[]
}

export interface PortRow {
  /** Of all ports of all bridges. */
  readonly key: string
  readonly bridge: string
  readonly isRemote: boolean
  readonly number: number
  readonly name: string
  readonly description: string
  readonly up: boolean
  readonly in: PortFlow
  readonly out: PortFlow
  readonly history: RateHistory
}

export interface PortTrack {
  /** When the counters were read. */
  at: number
  last: CounterReading
  baseline: CounterReading
  row: PortRow
}

const NO_COUNTERS: CounterReading = {
  inFrames: 0,
  inOctets: 0,
  outFrames: 0,
  outOctets: 0,
  inDrops: {},
  outDrops: {},
}

interface PortPlace {
  readonly key: string
  readonly bridge: { readonly name: string; readonly isRemote: boolean }
  /** Monotonic milliseconds when the counters were read. */
  readonly at: number
}

/**
 * The port as it is now.
 * @param known  as it was in the snapshot before, undefined: it is new
 */
export function trackPort(known: PortTrack | undefined, port: ViewPort, place: PortPlace): PortTrack {
  const { key, bridge, at } = place
  const seconds = known === undefined ? 0 : Math.max(0, (at - known.at) / 1000)
  const now = port.counters
  // Counters that went back are those of something that began anew: all of it is new.
  const isBack = known !== undefined && wentBack(known.last, now)
  const last = isBack ? NO_COUNTERS : (known?.last ?? now)
  const baseline = isBack ? NO_COUNTERS : (known?.baseline ?? NO_COUNTERS)
  const rates = {
    in: {
      framesPerSecond: perSecond(now.inFrames - last.inFrames, seconds),
      octetsPerSecond: perSecond(now.inOctets - last.inOctets, seconds),
    },
    out: {
      framesPerSecond: perSecond(now.outFrames - last.outFrames, seconds),
      octetsPerSecond: perSecond(now.outOctets - last.outOctets, seconds),
    },
  }
  const history = known?.row.history ?? new RateHistory()
  if (known !== undefined) history.push(rates.in.octetsPerSecond, rates.out.octetsPerSecond, seconds)
  const row: PortRow = {
    key,
    bridge: bridge.name,
    isRemote: bridge.isRemote,
    number: port.number,
    name: plainText(port.name),
    description: plainText(port.description),
    up: port.up,
    ...flows(rates, now, baseline),
    history,
  }
  return { at, last: now, baseline, row }
}

type Rates = Pick<Flow, 'framesPerSecond' | 'octetsPerSecond'>

function flows(
  rates: { readonly in: Rates; readonly out: Rates },
  now: CounterReading,
  baseline: CounterReading,
): { in: PortFlow; out: PortFlow } {
  const direction = (of: Rates, counts: Counts, since: Counts, reasons: PortFlow['reasons']): PortFlow => ({
    ...countsSince(counts, since),
    framesPerSecond: of.framesPerSecond,
    octetsPerSecond: of.octetsPerSecond,
    drops: reasons.reduce((sum, [, frames]) => sum + frames, 0),
    reasons,
  })
  return {
    in: direction(
      rates.in,
      { frames: now.inFrames, octets: now.inOctets },
      { frames: baseline.inFrames, octets: baseline.inOctets },
      dropsSince(now.inDrops, baseline.inDrops),
    ),
    out: direction(
      rates.out,
      { frames: now.outFrames, octets: now.outOctets },
      { frames: baseline.outFrames, octets: baseline.outOctets },
      dropsSince(now.outDrops, baseline.outDrops),
    ),
  }
}

const wentBack = (last: CounterReading, now: CounterReading): boolean =>
  now.inFrames < last.inFrames ||
  now.inOctets < last.inOctets ||
  now.outFrames < last.outFrames ||
  now.outOctets < last.outOctets

function dropsSince(now: CounterReading['inDrops'], since: CounterReading['inDrops']): PortFlow['reasons'] {
  const before = new Map(Object.entries(since))
  return Object.entries(now)
    .map(([reason, frames]) => [plainText(reason), frames - (before.get(reason) ?? 0)] as const)
    .filter(([, frames]) => frames > 0)
    .sort(([, a], [, b]) => b - a)
}

/** Counts of the port begin anew. */
export function resetPort(track: PortTrack): void {
  track.baseline = track.last
  track.row = { ...track.row, ...flows(track.row, track.last, track.last) }
}
