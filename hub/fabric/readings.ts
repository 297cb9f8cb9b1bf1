/** What a forwarding process tells of its bridges, ports and tunnels. */
import type { CounterReading } from '#net/port/counters.ts'
import type { SwitchVlan } from '#net/switch/vlan-list.ts'

/** As `hybridge show ports --json` gives it. */
export interface PortReading {
  readonly bridge: string
  readonly number: number
  readonly name: string
  readonly description: string
  readonly up: boolean
  readonly mode: string
  readonly untaggedVlan: number
  readonly qnq: number
  readonly strict: boolean
  readonly maxFrame: number
  /** How many are learnt on it. */
  readonly addresses: number
  /** Set while loop protection keeps it shut: the other port of the loop, and for how long. */
  readonly loop: { readonly port: number; readonly holdSeconds: number } | null
  /** Those that are not at their default, as `bridge port set` takes them. */
  readonly settings: Readonly<Record<string, string>>
  readonly counters: CounterReading
}

export interface AddressReading {
  readonly bridge: string
  readonly address: string
  readonly vlan: number
  readonly tpid: number
  readonly port: number
  readonly ageSeconds: number
}

/** As `hybridge show vlans --json` gives it. */
export interface VlansReading {
  readonly bridge: string
  /** Numbers of the ports that carry every VLAN. */
  readonly transparent: readonly number[]
  readonly vlans: readonly SwitchVlan[]
}

/** For the metrics process. */
export interface FabricCounters {
  /** Resident. */
  readonly memoryOctets: number
  readonly bridges: readonly {
    readonly bridge: string
    readonly addresses: number
    readonly capacity: number
    readonly evicted: number
    readonly refused: number
  }[]
  readonly ports: readonly PortReading[]
  readonly vlans: readonly VlansReading[]
}

export interface BridgeReading {
  readonly name: string
  readonly ports: number
  /** Those that are not at their default, as `bridge set` takes them. */
  readonly settings: Readonly<Record<string, string>>
}

/** An agent, or a VDE client through SSH, that is here or may come back. */
export interface LinkReading {
  readonly bridge: string
  readonly port: number
  /** `ann@site` */
  readonly name: string
  /** Where it comes, or came, from. */
  readonly address: string
  readonly connected: boolean
  /** Milliseconds since 1970. */
  readonly since: number
  /** As its gateway measured it last; null: not yet. */
  readonly roundTripMs: number | null
  /** Times that it came back. */
  readonly reconnects: number
  /** Why it left; empty while it is here. */
  readonly reason: string
}
