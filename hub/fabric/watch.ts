/** All that `hybridge top` asks a fabric for, in one answer. */
import { EventRing, type FabricEvent } from '#hub/fabric/event-ring.ts'
import type { Fabric } from '#hub/fabric/fabric.ts'
import type { LinkReading, PortReading } from '#hub/fabric/readings.ts'
import { TalkerWatches } from '#net/talkers/talker-watches.ts'
import type { TalkerReading } from '#net/talkers/talkers.ts'

export interface WatchReading {
  /** When the fabric began, milliseconds since 1970: numbers of events, and counters, hold while this is the same. */
  readonly began: number
  /** Names of those asked for; they may have no ports. */
  readonly bridges: readonly string[]
  readonly ports: readonly PortReading[]
  readonly links: readonly LinkReading[]
  readonly talkers: readonly (TalkerReading & { readonly bridge: string })[]
  readonly events: readonly FabricEvent[]
}

export interface WatchRequest {
  readonly bridge?: string | undefined
  /** Until whoever asks is taken for gone. */
  readonly seconds: number
  /** Number of the last event that he knows. */
  readonly after: number
}

export class Watch {
  readonly events = new EventRing()
  readonly #began = Date.now()
  readonly #talkers = new TalkerWatches(() => performance.now())

  /** @throws ProtocolError `unknown-bridge` */
  read(fabric: Fabric, { bridge, seconds, after }: WatchRequest): WatchReading {
    const names = bridge === undefined ? fabric.bridges().map(({ name }) => name) : [bridge]
    return {
      began: this.#began,
      ports: fabric.ports(bridge),
      bridges: names,
      links: fabric.links(bridge),
      talkers: names.flatMap((name) =>
        this.#talkers.read(fabric.switchOf(name), seconds).map((talker) => ({ ...talker, bridge: name })),
      ),
      events: this.events.after(after),
    }
  }

  close(): void {
    this.#talkers.close()
  }
}
