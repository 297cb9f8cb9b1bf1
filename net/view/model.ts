/**
 * What the view shows of successive snapshots: counts since the view was reset, rates, and their history. Pure: time comes
 * with the snapshots.
 */
import type { CounterReading } from '#net/port/counters.ts'
import { RateHistory } from '#net/view/history.ts'
import type { Snapshot, ViewLink, ViewPort, ViewTalker } from '#net/view/source.ts'
import { plainText } from '#net/view/text.ts'

/** More ports or talkers than anyone looks through; the rest of them is left out. */
const MAX_PORTS = 4096
const MAX_TALKERS = 4096

/** One direction of a port, or a talker's. */
export interface Flow {
  readonly frames: number
  readonly octets: number
  readonly framesPerSecond: number
  readonly octetsPerSecond: number
}

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

export interface BridgeRows {
  readonly name: string
  readonly isRemote: boolean
  readonly ports: readonly PortRow[]
}

export interface TalkerRow extends Flow {
  readonly address: string
  readonly vlan: number
  readonly bridge: string
  readonly port: number
}

/** Its texts are fit for a terminal. */
export interface Reading {
  readonly links: readonly ViewLink[]
  readonly bridges: readonly BridgeRows[]
  /** Undefined where nobody counts them. */
  readonly talkers: readonly TalkerRow[] | undefined
}

interface PortTrack {
  last: CounterReading
  baseline: CounterReading
  row: PortRow
}

interface Counts {
  readonly frames: number
  readonly octets: number
}

interface TalkerTrack {
  last: Counts
  baseline: Counts
}

const NO_COUNTERS: CounterReading = {
  inFrames: 0,
  inOctets: 0,
  outFrames: 0,
  outOctets: 0,
  inDrops: {},
  outDrops: {},
}
const NO_COUNTS: Counts = { frames: 0, octets: 0 }

export class ViewModel {
  #reading: Reading = { links: [], bridges: [], talkers: undefined }
  #at: number | undefined
  #ports = new Map<string, PortTrack>()
  #talkers = new Map<string, TalkerTrack>()

  get reading(): Reading {
    return this.#reading
  }

  /** Takes a snapshot in. One that is not later than the last gives no rates. */
  add(snapshot: Snapshot): void {
    const seconds = this.#at === undefined ? 0 : Math.max(0, (snapshot.at - this.#at) / 1000)
    const isFirst = this.#at === undefined
    this.#at = snapshot.at
    const ports = new Map<string, PortTrack>()
    const bridges = snapshot.bridges.map(({ name, isRemote, ports: all }) => {
      const bridge = { name: plainText(name), isRemote }
      const rows: PortRow[] = []
      for (const port of all) {
        const key = JSON.stringify([isRemote, name, port.id])
        if (ports.size >= MAX_PORTS || ports.has(key)) continue
        const track = trackPort(this.#ports.get(key), port, { key, bridge, seconds })
        ports.set(key, track)
        rows.push(track.row)
      }
      return { ...bridge, ports: rows }
    })
    this.#ports = ports
    this.#reading = {
      links: snapshot.links.map(plainLink),
      bridges,
      talkers: snapshot.talkers && this.#addTalkers(snapshot.talkers, seconds, isFirst),
    }
  }

  /** Counts begin anew here; the counters themselves stay as they are. */
  reset(): void {
    for (const track of this.#ports.values()) {
      track.baseline = track.last
      track.row = { ...track.row, ...flows(track.row, track.last, track.last) }
    }
    for (const track of this.#talkers.values()) track.baseline = track.last
    const { links, bridges, talkers } = this.#reading
    this.#reading = {
      links,
      bridges: bridges.map((bridge) => ({
        ...bridge,
        ports: bridge.ports.map((row) => this.#ports.get(row.key)?.row ?? row),
      })),
      talkers: talkers?.map((row) => ({ ...row, ...NO_COUNTS })),
    }
  }

  #addTalkers(talkers: readonly ViewTalker[], seconds: number, isFirst: boolean): TalkerRow[] {
    const tracks = new Map<string, TalkerTrack>()
    const rows: TalkerRow[] = []
    for (const talker of talkers) {
      const { address, vlan, bridge, port, frames, octets } = talker
      const key = JSON.stringify([address, vlan, bridge, port])
      if (tracks.size >= MAX_TALKERS || tracks.has(key)) continue
      const now: Counts = { frames, octets }
      const known = this.#talkers.get(key)
      const isBack = known !== undefined && (frames < known.last.frames || octets < known.last.octets)
      const last = isBack ? NO_COUNTS : (known?.last ?? (isFirst ? now : NO_COUNTS))
      const baseline = isBack ? NO_COUNTS : (known?.baseline ?? NO_COUNTS)
      tracks.set(key, { last: now, baseline })
      rows.push({
        address: plainText(address),
        vlan,
        bridge: plainText(bridge),
        port,
        ...flow(now, baseline),
        framesPerSecond: perSecond(frames - last.frames, seconds),
        octetsPerSecond: perSecond(octets - last.octets, seconds),
      })
    }
    this.#talkers = tracks
    return rows
  }
}

interface PortPlace {
  readonly key: string
  readonly bridge: { readonly name: string; readonly isRemote: boolean }
  /** Since the snapshot before. */
  readonly seconds: number
}

function trackPort(known: PortTrack | undefined, port: ViewPort, place: PortPlace): PortTrack {
  const { key, bridge, seconds } = place
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
  return { last: now, baseline, row }
}

type Rates = Pick<Flow, 'framesPerSecond' | 'octetsPerSecond'>

function flows(
  rates: { readonly in: Rates; readonly out: Rates },
  now: CounterReading,
  baseline: CounterReading,
): { in: PortFlow; out: PortFlow } {
  const direction = (of: Rates, counts: Counts, since: Counts, reasons: PortFlow['reasons']): PortFlow => ({
    ...flow(counts, since),
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

const flow = (now: Counts, since: Counts): Counts => ({
  frames: Math.max(0, now.frames - since.frames),
  octets: Math.max(0, now.octets - since.octets),
})

const perSecond = (count: number, seconds: number): number => (seconds > 0 ? Math.max(0, count) / seconds : 0)

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

const plainLink = (link: ViewLink): ViewLink => ({
  ...link,
  name: plainText(link.name),
  address: plainText(link.address),
  reason: plainText(link.reason),
})
