/** Variables of one bridge (IEEE Std 802.1D-2004 §17.18), and what its state machines ask to be done. */
import { encodeBpdu, type Bpdu } from '#net/stp/bpdu.ts'
import { RstpPort, type PortState } from '#net/stp/port.ts'
import { bridgeId, type PriorityVector } from '#net/stp/priority.ts'
import { milliseconds, rootTimes, type Times } from '#net/stp/times.ts'

export interface BridgeSettings {
  /** 0 to 61440 in steps of 4096. */
  readonly priority: number
  /** Seconds, as the two that follow. */
  readonly hello: number
  readonly maxAge: number
  readonly forwardDelay: number
}

/** In the order in which they are to be done. */
export type Action =
  | { readonly kind: 'state'; readonly port: number; readonly state: PortState }
  /** Forget the addresses learnt on the port. */
  | { readonly kind: 'flush'; readonly port: number }
  /** A whole frame, untagged. */
  | { readonly kind: 'send'; readonly port: number; readonly frame: Uint8Array }

/** Table 17-1: how long a port keeps to a version of the protocol, and waits for bridges before it is an edge. */
export const MIGRATE_TIME_MS = 3000
/** Table 17-1: BPDUs a second. */
export const TX_HOLD_COUNT = 6

export class BridgeState {
  readonly address: bigint
  settings: BridgeSettings
  /** By number, ascending. */
  readonly ports = new Map<number, RstpPort>()
  now = 0
  /** Roles are to be selected anew, even where there is no port that could ask for it. */
  reselect = false
  rootPriority: PriorityVector
  rootTimes: Times
  /** Number of the Root Port, 0 when this bridge is the root. */
  rootPort = 0
  /** How often a topology change began, and when the last one did. */
  topologyChanges = 0
  lastTopologyChange = -1
  topologyChangeUntil = 0
  private actions: Action[] = []

  constructor(address: bigint, settings: BridgeSettings) {
    this.address = address
    this.settings = settings
    this.rootPriority = this.bridgePriority
    this.rootTimes = this.bridgeTimes
  }

  get bridgeIdentifier(): bigint {
    return bridgeId(this.settings.priority, this.address)
  }

  /** §17.18.3: what this bridge would say as the root. */
  get bridgePriority(): PriorityVector {
    return { root: this.bridgeIdentifier, cost: 0, bridge: this.bridgeIdentifier, port: 0 }
  }

  get bridgeTimes(): Times {
    const { hello, maxAge, forwardDelay } = this.settings
    return rootTimes(hello, maxAge, forwardDelay)
  }

  hasRunDown(timer: number): boolean {
    return timer <= this.now
  }

  /** A timer that runs for so long, given in the units of BPDUs. */
  timer(time: number): number {
    return this.now + milliseconds(time)
  }

  setState(port: RstpPort): void {
    this.actions.push({ kind: 'state', port: port.number, state: port.state })
  }

  flush(port: RstpPort): void {
    this.actions.push({ kind: 'flush', port: port.number })
  }

  send(port: RstpPort, bpdu: Bpdu): void {
    port.sentBpdus++
    this.actions.push({ kind: 'send', port: port.number, frame: encodeBpdu(bpdu, this.address) })
  }

  takeActions(): Action[] {
    const taken = this.actions
    this.actions = []
    return taken
  }
}
