/**
 * What the view shows of successive snapshots: counts since the view was reset, rates, and their history. Pure: time comes
 * with the snapshots.
 */
import { resetPort, trackPort, type PortRow, type PortTrack } from '#net/view/port-track.ts'
import type { Snapshot, ViewLink, ViewTalker } from '#net/view/source.ts'
import { resetTalker, trackTalker, type TalkerRow, type TalkerTrack } from '#net/view/talker-track.ts'
import { plainText } from '#net/view/text.ts'

/** More ports or talkers than anyone looks through; the rest of them is left out. */
const MAX_PORTS = 4096
const MAX_TALKERS = 4096

export interface BridgeRows {
  readonly name: string
  readonly isRemote: boolean
  readonly ports: readonly PortRow[]
}

/** Its texts are fit for a terminal. */
export interface Reading {
  readonly links: readonly ViewLink[]
  readonly bridges: readonly BridgeRows[]
  /** Undefined where nobody counts them. */
  readonly talkers: readonly TalkerRow[] | undefined
}

export class ViewModel {
  #reading: Reading = { links: [], bridges: [], talkers: undefined }
  #at: number | undefined
  #ports = new Map<string, PortTrack>()
  #talkers = new Map<string, TalkerTrack>()

  get reading(): Reading {
    return this.#reading
  }

  /** Takes a snapshot in. One that is not later than the last gives no rates. */
  add({ at, links, bridges, talkers }: Snapshot): void {
    const seconds = this.#at === undefined ? 0 : Math.max(0, (at - this.#at) / 1000)
    this.#at = at
    const ports = new Map<string, PortTrack>()
    const rows = bridges.map(({ name, isRemote, at: readAt, ports: all }): BridgeRows => {
      const bridge = { name: plainText(name), isRemote }
      const shown: PortRow[] = []
      for (const port of all) {
        const key = JSON.stringify([isRemote, name, port.id])
        if (ports.size >= MAX_PORTS || ports.has(key)) continue
        const known = this.#ports.get(key)
        // Not read again since the last snapshot: rates are still those.
        const isSame = known !== undefined && readAt !== undefined && readAt <= known.at
        const track = isSame ? known : trackPort(known, port, { key, bridge, at: readAt ?? at })
        ports.set(key, track)
        shown.push(track.row)
      }
      return { ...bridge, ports: shown }
    })
    this.#ports = ports
    this.#reading = {
      links: links.map(plainLink),
      bridges: rows,
      talkers: talkers && this.#addTalkers(talkers, seconds),
    }
  }

  /** Counts begin anew here; the counters themselves stay as they are. */
  reset(): void {
    for (const track of this.#ports.values()) resetPort(track)
    for (const track of this.#talkers.values()) resetTalker(track)
    const { links, bridges, talkers } = this.#reading
    this.#reading = {
      links,
      bridges: bridges.map((bridge) => ({
        ...bridge,
        ports: bridge.ports.map((row) => this.#ports.get(row.key)?.row ?? row),
      })),
      talkers: talkers && rowsOf(this.#talkers),
    }
  }

  #addTalkers(talkers: readonly ViewTalker[], seconds: number): TalkerRow[] {
    const tracks = new Map<string, TalkerTrack>()
    for (const talker of talkers) {
      const { address, vlan, bridge, port } = talker
      const key = JSON.stringify([address, vlan, bridge, port])
      if (tracks.size < MAX_TALKERS && !tracks.has(key))
        tracks.set(key, trackTalker(this.#talkers.get(key), talker, seconds))
    }
    this.#talkers = tracks
    return rowsOf(tracks)
  }
}

const rowsOf = (tracks: ReadonlyMap<string, TalkerTrack>): TalkerRow[] =>
  [...tracks.values()].map(({ row }) => row)

const plainLink = (link: ViewLink): ViewLink => ({
  ...link,
  name: plainText(link.name),
  address: plainText(link.address),
  reason: plainText(link.reason),
})
