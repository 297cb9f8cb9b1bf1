/** What a port learns of its neighbours' kind (IEEE Std 802.1D-2004 §17.23-17.25). */
import type { Bpdu } from '#net/stp/bpdu.ts'
import { HELD, type RstpPort } from '#net/stp/port.ts'
import { bridgeAddress, portNumber, type PriorityVector } from '#net/stp/priority.ts'
import { MIGRATE_TIME_MS, type BridgeState } from '#net/stp/state.ts'

/** Port Receive, §17.23. A port's own BPDU, come back to it, is no message (§9.3.4). */
export function receive(bridge: BridgeState, port: RstpPort, bpdu: Bpdu): void {
  port.rcvdBpdus++
  port.operEdge = false
  port.edgeDelayWhile = bridge.now + MIGRATE_TIME_MS
  if (bpdu.type !== 'tcn' && isFrom(bridge, port, bpdu.priority)) {
    port.disputed = true
    return
  }
  // updtBPDUVersion, §17.21.22
  if (bpdu.type === 'rst') port.rcvdRstp = true
  else port.rcvdStp = true
  port.message = bpdu
}

const isFrom = (bridge: BridgeState, port: RstpPort, sender: PriorityVector): boolean =>
  bridgeAddress(sender.bridge) === bridge.address && portNumber(sender.port) === port.number

/** The link of a port came up: its neighbours may be others. */
export function startDetection(bridge: BridgeState, port: RstpPort): void {
  port.operEdge = port.settings.edge === 'yes'
  port.edgeDelayWhile = bridge.now + MIGRATE_TIME_MS
  checkRstp(bridge, port)
}

/**
 * The state in which Port Receive and Protocol Migration keep a port without a link. What it was as an edge stays until
 * the link is back: an edge that goes is no topology change.
 */
export function stopDetection(port: RstpPort): void {
  port.message = null
  port.rcvdRstp = false
  port.rcvdStp = false
  port.edgeDelayWhile = HELD
  port.mdelayWhile = HELD
  port.migration = 'checking-rstp'
  port.mcheck = false
  port.sendRstp = true
}

/** Port Protocol Migration, §17.24. @returns whether something changed */
export function migrate(bridge: BridgeState, port: RstpPort): boolean {
  if (!port.portEnabled) return false
  const isDelayOver = bridge.hasRunDown(port.mdelayWhile)
  if (port.migration === 'checking-rstp') return isDelayOver && sense(port)
  if (port.migration === 'selecting-stp') return (isDelayOver || port.mcheck) && sense(port)
  if (port.mcheck || (!port.sendRstp && port.rcvdRstp)) return checkRstp(bridge, port)
  if (!port.sendRstp || !port.rcvdStp) return false
  port.migration = 'selecting-stp'
  port.sendRstp = false
  port.mdelayWhile = bridge.now + MIGRATE_TIME_MS
  return true
}

function sense(port: RstpPort): true {
  port.migration = 'sensing'
  port.rcvdRstp = false
  port.rcvdStp = false
  return true
}

function checkRstp(bridge: BridgeState, port: RstpPort): true {
  port.migration = 'checking-rstp'
  port.mcheck = false
  port.sendRstp = true
  port.mdelayWhile = bridge.now + MIGRATE_TIME_MS
  return true
}

/** Bridge Detection, §17.25: a port that asks and hears nothing is an edge. @returns whether something changed */
export function detectEdge(bridge: BridgeState, port: RstpPort): boolean {
  if (port.operEdge || !port.portEnabled || port.settings.edge === 'no') return false
  if (!bridge.hasRunDown(port.edgeDelayWhile) || !port.sendRstp || !port.proposing) return false
  port.operEdge = true
  return true
}
