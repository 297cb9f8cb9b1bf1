/** The management console of one bridge: what its sessions share. */
import type { MacWatcher } from '#net/switch/mac-table.ts'
import type { Bridge } from '#hub/fabric/bridge.ts'
import {
  addressEvent,
  type DebugCategory,
  eventLine,
  HASH_FORGOTTEN,
  HASH_LEARNT,
} from '#hub/vde/console/debug-category.ts'
import { PortWatch } from '#hub/vde/console/port-watch.ts'
import { ConsoleSession } from '#hub/vde/console/session.ts'
import type { VdePlugs } from '#hub/vde/console/vde-plugs.ts'
import { VlanList } from '#hub/vde/console/vlan-list.ts'

/** Sessions of one bridge at once. */
export const MOST_SESSIONS = 16
/** Events of addresses between two ticks: a flood of them must not keep the switch busy. */
const HASH_EVENTS = 1000

/** Users and groups of the machine; a name is a number's digits, where it has none. */
interface AccountNames {
  userName(this: void, uid: number): string
  userNumber(this: void, user: string): number | undefined
  groupName(this: void, gid: number): string
  groupNumber(this: void, group: string): number | undefined
}

export interface ConsoleFacts {
  readonly pid: number
  /** Of the socket. */
  readonly path: string
  readonly mode: number
  /** Monotonic milliseconds. */
  readonly startedAt: number
  readonly accounts: AccountNames
  /** The bridge's VDE server, null while it has none. */
  readonly vde: () => VdePlugs | null
}

export class BridgeConsole implements MacWatcher {
  readonly bridge: Bridge
  readonly facts: ConsoleFacts
  readonly vlans: VlanList
  readonly #sessions = new Set<ConsoleSession>()
  #watch: PortWatch | null = null
  #hashEvents = 0

  constructor(bridge: Bridge, facts: ConsoleFacts) {
    this.bridge = bridge
    this.facts = facts
    this.vlans = new VlanList(bridge.switch)
  }

  /** @param onEvent  the session has events to be taken @returns null when there are too many sessions */
  open(onEvent: () => void): ConsoleSession | null {
    if (this.#sessions.size >= MOST_SESSIONS) return null
    const session = new ConsoleSession(this, onEvent)
    this.#sessions.add(session)
    return session
  }

  close(session: ConsoleSession): void {
    this.#sessions.delete(session)
    this.subscriptionsChanged()
  }

  /** A session wants other events than before: nothing is watched that nobody asked for. */
  subscriptionsChanged(): void {
    const wanted = new Set([...this.#sessions].flatMap(({ subscriptions }) => [...subscriptions]))
    const wantsAddresses = wanted.has(HASH_LEARNT) || wanted.has(HASH_FORGOTTEN)
    this.bridge.switch.table.watcher = wantsAddresses ? this : null
    const wantsPorts = wanted.size > Number(wanted.has(HASH_LEARNT)) + Number(wanted.has(HASH_FORGOTTEN))
    if (!wantsPorts) this.#watch = null
    else this.#watch ??= new PortWatch(this)
  }

  /** Tells of what has changed at the ports, if anybody asked. */
  look(): void {
    for (const { category, text } of this.#watch?.changes() ?? []) this.#emit(category, text)
  }

  /** To be called about once a second. */
  tick(): void {
    const lost = this.#hashEvents - HASH_EVENTS
    this.#hashEvents = 0
    for (const session of this.#sessions) {
      if (lost > 0 && (session.subscriptions.has(HASH_LEARNT) || session.subscriptions.has(HASH_FORGOTTEN)))
        session.lose(lost)
    }
    this.look()
  }

  learnt(high: number, low: number, vlan: number, port: number): void {
    if (this.#hashEvents++ < HASH_EVENTS) this.#emit(HASH_LEARNT, addressEvent(high, low, vlan, port))
  }

  forgotten(high: number, low: number, vlan: number, port: number): void {
    if (this.#hashEvents++ < HASH_EVENTS) this.#emit(HASH_FORGOTTEN, addressEvent(high, low, vlan, port))
  }

  #emit(category: DebugCategory, text: string): void {
    const line = eventLine(category, text)
    for (const session of this.#sessions) if (session.subscriptions.has(category)) session.tell(line)
  }
}
