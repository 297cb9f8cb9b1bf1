/** Port Role Selection (IEEE Std 802.1D-2004 §17.28): who the root is, the way to it, and each port's role. */
import type { Role, RstpPort } from '#net/stp/port.ts'
import { bridgeAddress, compareVectors, type PriorityVector } from '#net/stp/priority.ts'
import type { BridgeState } from '#net/stp/state.ts'
import { olderTimes, sameTimes } from '#net/stp/times.ts'

/** @returns whether something changed */
export function selectRoles(bridge: BridgeState): boolean {
  let isAsked = bridge.reselect
  bridge.reselect = false
  for (const port of bridge.ports.values()) isAsked ||= port.reselect
  if (!isAsked) return false
  for (const port of bridge.ports.values()) port.reselect = false
  updtRolesTree(bridge)
  for (const port of bridge.ports.values()) port.selected = true
  return true
}

/** §17.21.25 */
function updtRolesTree(bridge: BridgeState): void {
  findRoot(bridge)
  const { root, cost } = bridge.rootPriority
  const times = { ...bridge.rootTimes, helloTime: bridge.bridgeTimes.helloTime }
  for (const port of bridge.ports.values()) {
    port.designatedPriority = { root, cost, bridge: bridge.bridgeIdentifier, port: port.portId }
    port.designatedTimes = times
    port.selectedRole = roleOf(bridge, port)
    port.updtInfo = port.selectedRole === 'designated' && isNews(port)
  }
}

/** The best of our own vector and of those that ports received, the way through the port added. */
function findRoot(bridge: BridgeState): void {
  let best = bridge.bridgePriority
  let bestPort: RstpPort | null = null
  for (const port of bridge.ports.values()) {
    if (port.infoIs !== 'received' || isOurs(bridge, port.portPriority)) continue
    const path = { ...port.portPriority, cost: port.portPriority.cost + port.settings.pathCost }
    const order = compareVectors(path, best)
    // Two ports to one port of another bridge: the better of ours.
    if (order < 0 || (order === 0 && bestPort !== null && port.portId < bestPort.portId)) {
      best = path
      bestPort = port
    }
  }
  bridge.rootPriority = best
  bridge.rootTimes = bestPort === null ? bridge.bridgeTimes : olderTimes(bestPort.portTimes)
  bridge.rootPort = bestPort === null ? 0 : bestPort.number
}

const isOurs = (bridge: BridgeState, vector: PriorityVector): boolean =>
  bridgeAddress(vector.bridge) === bridge.address

/** Items f to l. */
function roleOf(bridge: BridgeState, port: RstpPort): Role {
  if (port.infoIs === 'disabled') return 'disabled'
  if (port.infoIs !== 'received') return 'designated'
  if (port.number === bridge.rootPort) return 'root'
  if (compareVectors(port.designatedPriority, port.portPriority) < 0) return 'designated'
  return isOurs(bridge, port.portPriority) ? 'backup' : 'alternate'
}

/** Whether a Designated Port has something new to tell. */
const isNews = (port: RstpPort): boolean =>
  port.infoIs !== 'mine' ||
  compareVectors(port.portPriority, port.designatedPriority) !== 0 ||
  !sameTimes(port.portTimes, port.designatedTimes)
