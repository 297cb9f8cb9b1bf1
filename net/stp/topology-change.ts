/** Port State Transition and Topology Change (IEEE Std 802.1D-2004 §17.30, §17.31). */
import type { RstpPort } from '#net/stp/port.ts'
import type { BridgeState } from '#net/stp/state.ts'
import { SECOND } from '#net/stp/times.ts'

/** Port State Transition. @returns whether something changed */
export function moveState(bridge: BridgeState, port: RstpPort): boolean {
  if (port.forwarding ? !port.forward : port.learning && !port.learn) {
    port.learning = false
    port.forwarding = false
  } else if (!port.learning && port.learn) port.learning = true
  else if (port.learning && !port.forwarding && port.forward) port.forwarding = true
  else return false
  bridge.setState(port)
  return true
}

/** Topology Change. @returns whether something changed */
export function moveTopologyChange(bridge: BridgeState, port: RstpPort): boolean {
  if (port.topologyChange === 'learning') return whileLearning(bridge, port)
  if (port.topologyChange === 'active') return whileActive(bridge, port)
  if (!port.learn) return false
  port.topologyChange = 'learning'
  forgetNotices(port)
  return true
}

function whileLearning(bridge: BridgeState, port: RstpPort): boolean {
  const isInTree = port.role === 'root' || port.role === 'designated'
  if (isInTree && port.forward && !port.operEdge) {
    // DETECTED
    newTcWhile(bridge, port)
    setTcPropTree(bridge, port)
    port.newInfo = true
    port.topologyChange = 'active'
  } else if (port.rcvdTc || port.rcvdTcn || port.rcvdTcAck || port.tcProp) forgetNotices(port)
  else if (!isInTree && !port.learn && !port.learning) {
    // INACTIVE
    bridge.flush(port)
    port.tcWhile = 0
    port.tcAck = false
    port.topologyChange = 'inactive'
  } else return false
  return true
}

function forgetNotices(port: RstpPort): void {
  port.rcvdTc = false
  port.rcvdTcn = false
  port.rcvdTcAck = false
  port.tcProp = false
}

function whileActive(bridge: BridgeState, port: RstpPort): boolean {
  if ((port.role !== 'root' && port.role !== 'designated') || port.operEdge) {
    port.topologyChange = 'learning'
    forgetNotices(port)
  } else if (port.rcvdTcn || port.rcvdTc) {
    // NOTIFIED_TCN, NOTIFIED_TC
    if (port.rcvdTcn) newTcWhile(bridge, port)
    port.rcvdTcn = false
    port.rcvdTc = false
    if (port.role === 'designated') port.tcAck = true
    setTcPropTree(bridge, port)
  } else if (port.tcProp) {
    // PROPAGATING
    newTcWhile(bridge, port)
    bridge.flush(port)
    port.tcProp = false
  } else if (port.rcvdTcAck) {
    // ACKNOWLEDGED
    port.tcWhile = 0
    port.rcvdTcAck = false
  } else return false
  return true
}

/** §17.21.18 */
function setTcPropTree(bridge: BridgeState, port: RstpPort): void {
  for (const other of bridge.ports.values()) if (other !== port) other.tcProp = true
  countChange(bridge)
}

/** §17.21.7 */
function newTcWhile(bridge: BridgeState, port: RstpPort): void {
  if (!bridge.hasRunDown(port.tcWhile)) return
  if (port.sendRstp) {
    port.tcWhile = bridge.timer(port.designatedTimes.helloTime + SECOND)
    port.newInfo = true
  } else port.tcWhile = bridge.timer(bridge.rootTimes.maxAge + bridge.rootTimes.forwardDelay)
}

/** For people: notices that follow each other are of one change. */
function countChange(bridge: BridgeState): void {
  if (bridge.hasRunDown(bridge.topologyChangeUntil)) {
    bridge.topologyChanges++
    bridge.lastTopologyChange = bridge.now
  }
  bridge.topologyChangeUntil = bridge.timer(bridge.bridgeTimes.helloTime + SECOND)
}
