/**
 * Variables of one port (IEEE Std 802.1D-2004 §17.19) under the standard's names, and its timers (§17.17) as times at
 * which they have run down: monotonic milliseconds; what is not later than now has. `HELD` is a timer that its state
 * machine sets again and again: it starts when that state is left.
 */
import type { Bpdu } from '#net/stp/bpdu.ts'
import { portId, type PriorityVector } from '#net/stp/priority.ts'
import { rootTimes, type Times } from '#net/stp/times.ts'

export type Role = 'disabled' | 'root' | 'designated' | 'alternate' | 'backup'
export type PortState = 'discarding' | 'learning' | 'forwarding'
/** Where `portPriority` comes from. */
type InfoIs = 'disabled' | 'aged' | 'mine' | 'received'
type MigrationState = 'checking-rstp' | 'selecting-stp' | 'sensing'
type TopologyChangeState = 'inactive' | 'learning' | 'active'

export interface PortSettings {
  /** 0 to 240 in steps of 16. */
  readonly priority: number
  /** 1 to 200 000 000. */
  readonly pathCost: number
  /** `yes`: no bridge is behind it until one is heard; `auto`: so after 3 s of silence; `no`: one may always be. */
  readonly edge: 'auto' | 'yes' | 'no'
  /** One bridge at most is behind it: a full-duplex link. */
  readonly pointToPoint: boolean
}

export const DEFAULT_PORT_PRIORITY = 128

export const HELD = Infinity
const NOTHING: PriorityVector = { root: 0n, cost: 0, bridge: 0n, port: 0 }
const NO_TIMES = rootTimes(0, 0, 0)

export class RstpPort {
  readonly number: number
  settings: PortSettings
  portEnabled = false

  // Information: what this port's segment is told, by us or by a better bridge.
  infoIs: InfoIs = 'disabled'
  portPriority = NOTHING
  portTimes: Times = NO_TIMES
  designatedPriority = NOTHING
  designatedTimes: Times = NO_TIMES
  message: Bpdu | null = null
  updtInfo = false

  // Roles.
  role: Role = 'disabled'
  selectedRole: Role = 'disabled'
  selected = false
  reselect = true

  // Handshake.
  proposing = false
  proposed = false
  agree = false
  agreed = false
  sync = true
  synced = false
  reRoot = true
  disputed = false

  // State.
  learn = false
  forward = false
  learning = false
  forwarding = false

  // Neighbours.
  operEdge = false
  sendRstp = true
  rcvdRstp = false
  rcvdStp = false
  mcheck = false
  migration: MigrationState = 'checking-rstp'

  // Topology changes.
  topologyChange: TopologyChangeState = 'inactive'
  rcvdTc = false
  rcvdTcn = false
  rcvdTcAck = false
  tcProp = false
  tcAck = false

  // Transmission.
  newInfo = true
  /** BPDUs sent, one less each second: `txHoldCount` bounds it. */
  txCount = 0

  // Timers.
  edgeDelayWhile = HELD
  fdWhile = HELD
  helloWhen = 0
  mdelayWhile = HELD
  rbWhile = 0
  rcvdInfoWhile = 0
  rrWhile = HELD
  tcWhile = 0
  /** When `txCount` becomes one less. */
  txLess = HELD

  // Counts for people.
  rcvdBpdus = 0
  sentBpdus = 0

  constructor(number: number, settings: PortSettings) {
    this.number = number
    this.settings = settings
  }

  get portId(): number {
    return portId(this.settings.priority, this.number)
  }

  get state(): PortState {
    if (this.forwarding) return 'forwarding'
    return this.learning ? 'learning' : 'discarding'
  }

  /** When the first of its timers that still run will have run down. */
  nextDeadline(now: number): number {
    let next = HELD
    for (const timer of [
      this.edgeDelayWhile,
      this.fdWhile,
      this.helloWhen,
      this.mdelayWhile,
      this.rbWhile,
      this.rcvdInfoWhile,
      this.rrWhile,
      this.tcWhile,
      this.txLess,
    ])
      if (timer > now && timer < next) next = timer
    return next
  }
}
