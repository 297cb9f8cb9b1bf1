/**
 * What the full-screen view shows, and what it may do: made by the agent of its one link, by `hybridge top` of a whole hub.
 * The view itself knows neither.
 */
import type { CounterReading } from '#net/port/counters.ts'

/** One port of a switch, as it is now. */
export interface ViewPort {
  /** The same as long as the port is the same one: rates are reckoned by it. */
  readonly id: string
  readonly number: number
  /** `nic:eth1`, `tunnel:ann@site` */
  readonly name: string
  /** For people, may be empty. */
  readonly description: string
  readonly up: boolean
  readonly counters: CounterReading
}

export interface ViewBridge {
  readonly name: string
  /** Whose ports these are: another machine's when they were asked for through a tunnel. */
  readonly isRemote: boolean
  /** When the ports were read, by the snapshot's clock; undefined: with the snapshot. */
  readonly at?: number
  readonly ports: readonly ViewPort[]
}

/** A connection to a hub, or an agent's to this hub. */
export interface ViewLink {
  readonly name: string
  /** Numeric address of the other side, '' when there was none yet. */
  readonly address: string
  readonly state: 'connecting' | 'connected' | 'disconnected'
  /** Milliseconds since 1970 when this state began; undefined when not known. */
  readonly since: number | undefined
  readonly roundTripMs: number | undefined
  readonly reconnects: number
  /** Of the outage that lasts: attempts so far, and the last reason. */
  readonly attempt: number
  readonly reason: string
}

/** A sender on the LAN: octets and wire frames that it sent since the view began, or was reset. */
export interface ViewTalker {
  /** `52:54:00:12:34:56` */
  readonly address: string
  /** VID, 0: untagged. */
  readonly vlan: number
  readonly bridge: string
  readonly port: number
  readonly frames: number
  readonly octets: number
}

export interface Snapshot {
  /** Milliseconds of a monotonic clock when it was taken. */
  readonly at: number
  readonly links: readonly ViewLink[]
  readonly bridges: readonly ViewBridge[]
  /** In no order; undefined where nobody counts them. */
  readonly talkers: readonly ViewTalker[] | undefined
}

/** What happened, for the event log. */
export interface ViewEvent {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly text: string
}

export interface ViewSource {
  /** `hconnect 0.1.0` */
  readonly title: string
  /** What is there now. @throws Error when it cannot be had: the view shows why, keeps the last one and asks again. */
  read(): Promise<Snapshot>
  /** Calls back with every event from now on, and with the last ones before. */
  onEvent(tell: (event: ViewEvent) => void): void
  /** Captures a port to a new file until the result is called. @throws Error with the reason */
  readonly capture?: (bridge: string, port: number, file: string) => Promise<() => Promise<string>>
  /** Sets a port's impairment as `hybridge bridge port set impair=...` has it, '' ends it. @throws Error with the reason */
  readonly impair?: (bridge: string, port: number, text: string) => Promise<void>
}
