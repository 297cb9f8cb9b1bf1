/**
 * The Rapid Spanning Tree Protocol of one bridge (IEEE Std 802.1D-2004 clause 17). Pure: each event takes the time in
 * monotonic milliseconds and returns what is to be done, in this order; `tick` is to be called at `nextDeadline`.
 *
 * The standard's state machines are in this folder's files, as functions of (bridge, port) that do what one state does
 * and tell whether something changed. They are called in turn until nothing changes; BPDUs are made then, so that a
 * neighbour is told where things stand, not how they came about. Differences from the letter of the standard: timers
 * are deadlines, not counters of a common second; disabled ports send nothing; recordDispute is that of
 * IEEE Std 802.1Q, which keeps a port discarding while its neighbour does not hear it; a port that hears its own BPDUs
 * disputes itself, and so never forwards into a cable that leads back to it.
 */
import type { Bpdu } from '#net/stp/bpdu.ts'
import { updateInformation } from '#net/stp/port-information.ts'
import { detectEdge, migrate, receive, startDetection, stopDetection } from '#net/stp/port-receive.ts'
import { transmit } from '#net/stp/port-transmit.ts'
import { HELD, type PortSettings, RstpPort } from '#net/stp/port.ts'
import { selectRoles } from '#net/stp/role-selection.ts'
import { moveRole } from '#net/stp/role-transitions.ts'
import { type Action, BridgeState, type BridgeSettings } from '#net/stp/state.ts'
import { moveState, moveTopologyChange } from '#net/stp/topology-change.ts'

/** Rounds in which everything settles, many times over: a fault of the machines must not hold up the hub. */
const MAX_ROUNDS = 1000

export class Rstp {
  private readonly state: BridgeState
  /** False when the machines did not come to rest, which is a fault of theirs. */
  isSettled = true

  /** @param address  MAC address of the bridge, which no other bridge of the network has */
  constructor(address: bigint, settings: BridgeSettings) {
    this.state = new BridgeState(address, settings)
  }

  /** For reading only. */
  get bridge(): Readonly<BridgeState> {
    return this.state
  }

  /** A new port, its link down and its state discarding. */
  addPort(number: number, settings: PortSettings, now: number): Action[] {
    const port = new RstpPort(number, settings)
    stopDetection(port)
    const { ports } = this.state
    ports.set(number, port)
    const sorted = [...ports].sort(([a], [b]) => a - b)
    ports.clear()
    for (const [known, value] of sorted) ports.set(known, value)
    return this.settle(now)
  }

  /** The port is gone: nothing more is to be done with it. */
  removePort(number: number, now: number): Action[] {
    const actions = this.setLink(number, false, now)
    this.state.ports.delete(number)
    return actions.filter(({ port }) => port !== number)
  }

  setLink(number: number, isUp: boolean, now: number): Action[] {
    const port = this.state.ports.get(number)
    if (port === undefined || port.portEnabled === isUp) return []
    this.state.now = now
    port.portEnabled = isUp
    if (isUp) {
      port.helloWhen = 0
      startDetection(this.state, port)
    } else stopDetection(port)
    return this.settle(now)
  }

  setPort(number: number, settings: PortSettings, now: number): Action[] {
    const port = this.state.ports.get(number)
    if (port === undefined) return []
    if (settings.edge !== port.settings.edge) port.operEdge = settings.edge === 'yes'
    port.settings = settings
    port.reselect = true
    port.selected = false
    return this.settle(now)
  }

  setBridge(settings: BridgeSettings, now: number): Action[] {
    this.state.settings = settings
    this.state.reselect = true
    for (const port of this.state.ports.values()) {
      port.reselect = true
      port.selected = false
    }
    return this.settle(now)
  }

  /** Tries the newer protocol on a port again (§17.19.13). */
  checkMigration(number: number, now: number): Action[] {
    const port = this.state.ports.get(number)
    if (port === undefined || !port.portEnabled) return []
    port.mcheck = true
    return this.settle(now)
  }

  receive(number: number, bpdu: Bpdu, now: number): Action[] {
    const port = this.state.ports.get(number)
    if (port === undefined || !port.portEnabled) return []
    this.state.now = now
    receive(this.state, port, bpdu)
    return this.settle(now)
  }

  tick(now: number): Action[] {
    return this.settle(now)
  }

  /** Milliseconds, Infinity when nothing runs. */
  get nextDeadline(): number {
    let next = HELD
    for (const port of this.state.ports.values()) {
      if (port.portEnabled) next = Math.min(next, port.nextDeadline(this.state.now))
    }
    return next
  }

  private settle(now: number): Action[] {
    this.state.now = now
    this.isSettled = false
    for (let round = 0; round < MAX_ROUNDS && !this.isSettled; round++) {
      this.isSettled = !this.moveAll() && !this.transmitAll()
    }
    return this.state.takeActions()
  }

  /** One step of each machine but the last. */
  private moveAll(): boolean {
    const bridge = this.state
    let changed = selectRoles(bridge)
    for (const port of bridge.ports.values()) {
      changed = migrate(bridge, port) || changed
      changed = detectEdge(bridge, port) || changed
      changed = updateInformation(bridge, port) || changed
      changed = moveRole(bridge, port) || changed
      changed = moveState(bridge, port) || changed
      changed = moveTopologyChange(bridge, port) || changed
    }
    return changed
  }

  private transmitAll(): boolean {
    let changed = false
    for (const port of this.state.ports.values()) changed = transmit(this.state, port) || changed
    return changed
  }
}
