/** Port Information (IEEE Std 802.1D-2004 §17.27): what is known of a port's segment, and until when. */
import type { Bpdu } from '#net/stp/bpdu.ts'
import type { RstpPort } from '#net/stp/port.ts'
import { bridgeAddress, compareVectors, isSuperior } from '#net/stp/priority.ts'
import type { BridgeState } from '#net/stp/state.ts'
import { recordedTimes, sameTimes, SECOND } from '#net/stp/times.ts'

/** @returns whether something changed */
export function updateInformation(bridge: BridgeState, port: RstpPort): boolean {
  if (!port.portEnabled) {
    if (port.infoIs === 'disabled') return false
    disable(port)
  } else if (port.infoIs === 'disabled') age(port)
  else if (port.updtInfo) {
    if (!port.selected) return false
    update(port)
  } else if (port.infoIs === 'aged') return false
  else if (port.message !== null) {
    const message = port.message
    port.message = null
    take(bridge, port, message)
  } else if (port.infoIs === 'received' && bridge.hasRunDown(port.rcvdInfoWhile)) age(port)
  else return false
  return true
}

/** DISABLED */
function disable(port: RstpPort): void {
  port.message = null
  port.proposing = false
  port.proposed = false
  port.agree = false
  port.agreed = false
  port.rcvdInfoWhile = 0
  port.infoIs = 'disabled'
  reselect(port)
}

/** AGED */
function age(port: RstpPort): void {
  port.infoIs = 'aged'
  reselect(port)
}

function reselect(port: RstpPort): void {
  port.reselect = true
  port.selected = false
}

/** UPDATE: from now on this port tells its segment. */
function update(port: RstpPort): void {
  port.proposing = false
  port.proposed = false
  // betterorsameinfo(Mine), §17.21.1
  port.agreed &&= port.infoIs === 'mine' && compareVectors(port.designatedPriority, port.portPriority) <= 0
  port.synced &&= port.agreed
  port.portPriority = port.designatedPriority
  port.portTimes = port.designatedTimes
  port.updtInfo = false
  port.infoIs = 'mine'
  port.newInfo = true
}

/** RECEIVE, §17.21.8 */
function take(bridge: BridgeState, port: RstpPort, message: Bpdu): void {
  const times = recordedTimes(message.times)
  const order = compareVectors(message.priority, port.portPriority)
  if (message.role === 'designated') {
    const isSame = order === 0 && sameTimes(times, port.portTimes)
    if (isSame) {
      recordProposal(port, message)
      setTcFlags(port, message)
      updtRcvdInfoWhile(bridge, port)
    } else if (order === 0 || isSuperior(message.priority, port.portPriority)) {
      recordSuperior(bridge, port, message)
    } else recordDispute(port, message)
  } else if (message.type === 'tcn' || order >= 0) {
    // NOT_DESIGNATED: from a port that follows us.
    recordAgreement(bridge, port, message)
    setTcFlags(port, message)
  }
}

/** SUPERIOR_DESIGNATED */
function recordSuperior(bridge: BridgeState, port: RstpPort, message: Bpdu): void {
  port.agreed = false
  port.proposing = false
  recordProposal(port, message)
  setTcFlags(port, message)
  // betterorsameinfo(Received), §17.21.1
  port.agree &&= port.infoIs === 'received' && compareVectors(message.priority, port.portPriority) <= 0
  port.portPriority = message.priority
  port.portTimes = recordedTimes(message.times)
  updtRcvdInfoWhile(bridge, port)
  port.infoIs = 'received'
  reselect(port)
}

/**
 * §17.21.9. Stricter than there: who agrees names the same root, and is another bridge. An agreement to something else
 * was under way when this port's information changed.
 */
function recordAgreement(bridge: BridgeState, port: RstpPort, message: Bpdu): void {
  const { root, bridge: sender } = message.priority
  const isCurrent = root === port.portPriority.root && bridgeAddress(sender) !== bridge.address
  port.agreed = port.settings.pointToPoint && message.agreement && isCurrent
  if (port.agreed) port.proposing = false
}

/** §17.21.10: who says worse than we do and yet learns does not hear us. */
function recordDispute(port: RstpPort, message: Bpdu): void {
  if (!message.learning) return
  port.disputed = true
  port.agreed = false
}

/** §17.21.11 */
function recordProposal(port: RstpPort, message: Bpdu): void {
  if (message.proposal) port.proposed = true
}

/** §17.21.17 */
function setTcFlags(port: RstpPort, message: Bpdu): void {
  if (message.type === 'tcn') port.rcvdTcn = true
  if (message.topologyChange) port.rcvdTc = true
  if (message.topologyChangeAck) port.rcvdTcAck = true
}

/** §17.21.23: three times the Hello Time, unless it has come too far. */
function updtRcvdInfoWhile(bridge: BridgeState, port: RstpPort): void {
  const { messageAge, maxAge, helloTime } = port.portTimes
  const isFresh = Math.round((messageAge + SECOND) / SECOND) * SECOND <= maxAge
  port.rcvdInfoWhile = isFresh ? bridge.timer(3 * helloTime) : 0
}
