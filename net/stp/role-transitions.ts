/**
 * Port Role Transitions (IEEE Std 802.1D-2004 §17.29): a port enters its role, agrees with its neighbours, and asks for
 * the state that goes with it. Each function is one of the standard's diagrams; it does what one state does and says
 * that something changed, or finds nothing to do.
 */
import { HELD, type RstpPort } from '#net/stp/port.ts'
import { MIGRATE_TIME_MS, type BridgeState } from '#net/stp/state.ts'

/** @returns whether something changed */
export function moveRole(bridge: BridgeState, port: RstpPort): boolean {
  if (!port.selected || port.updtInfo) return false
  if (port.role !== port.selectedRole) {
    enter(bridge, port)
    return true
  }
  if (port.role === 'disabled') return disabled(port)
  if (port.role === 'root') return root(bridge, port)
  return port.role === 'designated' ? designated(bridge, port) : alternate(bridge, port)
}

/** DISABLE_PORT, ROOT_PORT, DESIGNATED_PORT, BLOCK_PORT */
function enter(bridge: BridgeState, port: RstpPort): void {
  const { maxAge, helloTime, forwardDelay } = port.designatedTimes
  if (port.fdWhile === HELD) port.fdWhile = bridge.timer(port.role === 'disabled' ? maxAge : forwardDelay)
  if (port.rrWhile === HELD) port.rrWhile = bridge.timer(forwardDelay)
  if (port.rbWhile === HELD) port.rbWhile = bridge.timer(2 * helloTime)
  port.role = port.selectedRole
  if (port.role === 'root') port.rrWhile = HELD
  else if (port.role !== 'designated') {
    port.learn = false
    port.forward = false
  }
}

/** DISABLED_PORT */
function disabled(port: RstpPort): boolean {
  if (port.learning || port.forwarding) return false
  return keepBlocked(port)
}

/** Holds what a blocked port holds. @returns whether it did not yet */
function keepBlocked(port: RstpPort): boolean {
  if (port.fdWhile === HELD && port.rrWhile === 0 && port.synced && !port.sync && !port.reRoot) return false
  port.fdWhile = HELD
  port.rrWhile = 0
  port.synced = true
  port.sync = false
  port.reRoot = false
  return true
}

/** Figure 17-21 */
function root(bridge: BridgeState, port: RstpPort): boolean {
  if (port.proposed && !port.agree) {
    // ROOT_PROPOSED, setSyncTree
    for (const other of bridge.ports.values()) other.sync = true
    port.proposed = false
  } else if ((!port.agree && allSynced(bridge)) || (port.proposed && port.agree)) {
    // ROOT_AGREED
    port.proposed = false
    port.sync = false
    port.agree = true
    port.newInfo = true
  } else if (!port.forward && !port.reRoot) {
    // REROOT, setReRootTree
    for (const other of bridge.ports.values()) other.reRoot = true
  } else if (port.forward && port.reRoot) {
    // REROOTED
    port.reRoot = false
  } else if (port.forward || !mayRootForward(bridge, port)) return false
  else if (!port.learn) {
    // ROOT_LEARN
    port.fdWhile = forwardDelay(bridge, port)
    port.learn = true
  } else {
    // ROOT_FORWARD
    port.fdWhile = 0
    port.forward = true
  }
  return true
}

const mayRootForward = (bridge: BridgeState, port: RstpPort): boolean =>
  bridge.hasRunDown(port.fdWhile) || (bridge.hasRunDown(port.rbWhile) && reRooted(bridge, port))

/** Figure 17-22 */
function designated(bridge: BridgeState, port: RstpPort): boolean {
  const wasRoot = !bridge.hasRunDown(port.rrWhile)
  const mustDiscard = (port.sync && !port.synced) || (port.reRoot && wasRoot) || port.disputed
  const mayForward = bridge.hasRunDown(port.fdWhile) || port.agreed || port.operEdge
  if (!port.forward && !port.agreed && !port.proposing && !port.operEdge) {
    // DESIGNATED_PROPOSE
    port.proposing = true
    port.edgeDelayWhile = edgeDelay(bridge, port)
    port.newInfo = true
  } else if (!port.synced && ((!port.learning && !port.forwarding) || port.agreed || port.operEdge)) {
    designatedSynced(port)
  } else if (port.sync && port.synced) designatedSynced(port)
  else if (!wasRoot && port.reRoot) {
    // DESIGNATED_RETIRED
    port.reRoot = false
  } else if (mustDiscard && !port.operEdge && (port.learn || port.forward)) {
    // DESIGNATED_DISCARD
    port.learn = false
    port.forward = false
    port.disputed = false
    port.fdWhile = forwardDelay(bridge, port)
  } else if (port.forward || !mayForward || port.sync || (wasRoot && port.reRoot)) return false
  else if (!port.learn) {
    // DESIGNATED_LEARN
    port.learn = true
    port.fdWhile = forwardDelay(bridge, port)
  } else {
    // DESIGNATED_FORWARD
    port.forward = true
    port.fdWhile = 0
    port.agreed = port.sendRstp
  }
  return true
}

/** DESIGNATED_SYNCED */
function designatedSynced(port: RstpPort): void {
  port.rrWhile = 0
  port.synced = true
  port.sync = false
}

/** Figure 17-23, Backup Ports too */
function alternate(bridge: BridgeState, port: RstpPort): boolean {
  if (port.learning || port.forwarding) return false
  if (port.proposed && !port.agree) {
    // ALTERNATE_PROPOSED, setSyncTree
    for (const other of bridge.ports.values()) other.sync = true
    port.proposed = false
  } else if ((!port.agree && allSynced(bridge)) || (port.proposed && port.agree)) {
    // ALTERNATE_AGREED
    port.proposed = false
    port.agree = true
    port.newInfo = true
  } else if (port.role === 'backup' && port.rbWhile !== HELD) {
    // BACKUP_PORT
    port.rbWhile = HELD
  } else return keepBlocked(port)
  return true
}

/** §17.20.3 */
function allSynced(bridge: BridgeState): boolean {
  for (const port of bridge.ports.values()) {
    if (!port.selected || port.role !== port.selectedRole) return false
    if (port.role !== 'root' && !port.synced) return false
  }
  return true
}

/** §17.20.10 */
function reRooted(bridge: BridgeState, port: RstpPort): boolean {
  for (const other of bridge.ports.values())
    if (other !== port && !bridge.hasRunDown(other.rrWhile)) return false
  return true
}

/** §17.20.5 */
const forwardDelay = (bridge: BridgeState, { designatedTimes, sendRstp }: RstpPort): number =>
  bridge.timer(sendRstp ? designatedTimes.helloTime : designatedTimes.forwardDelay)

/** §17.20.4 */
const edgeDelay = (bridge: BridgeState, port: RstpPort): number =>
  port.settings.pointToPoint ? bridge.now + MIGRATE_TIME_MS : bridge.timer(port.designatedTimes.maxAge)
