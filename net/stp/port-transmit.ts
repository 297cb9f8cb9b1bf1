/** Port Transmit (IEEE Std 802.1D-2004 §17.26). */
import type { Bpdu, BpduRole, BpduType } from '#net/stp/bpdu.ts'
import { HELD, type RstpPort } from '#net/stp/port.ts'
import { TX_HOLD_COUNT, type BridgeState } from '#net/stp/state.ts'
import { SECOND } from '#net/stp/times.ts'

/** @returns whether something changed */
export function transmit(bridge: BridgeState, port: RstpPort): boolean {
  if (!port.portEnabled || !port.selected || port.updtInfo) return false
  if (bridge.hasRunDown(port.txLess)) {
    port.txCount--
    port.txLess = port.txCount > 0 ? bridge.timer(SECOND) : HELD
  }
  const isPeriodic = bridge.hasRunDown(port.helloWhen)
  if (isPeriodic) {
    // TRANSMIT_PERIODIC
    const hasNotice = port.role === 'root' && !bridge.hasRunDown(port.tcWhile)
    port.newInfo ||= port.role === 'designated' || hasNotice
    startHello(bridge, port)
  }
  const type = typeToSend(port)
  if (!port.newInfo || type === null || port.txCount >= TX_HOLD_COUNT) return isPeriodic
  port.newInfo = false
  bridge.send(port, bpduOf(bridge, port, type))
  if (port.txCount === 0) port.txLess = bridge.timer(SECOND)
  port.txCount++
  if (type !== 'tcn') port.tcAck = false
  startHello(bridge, port)
  return true
}

function startHello(bridge: BridgeState, port: RstpPort): void {
  port.helloWhen = bridge.timer(bridge.bridgeTimes.helloTime)
}

function typeToSend(port: RstpPort): BpduType | null {
  if (port.sendRstp) return 'rst'
  if (port.role === 'designated') return 'config'
  return port.role === 'root' ? 'tcn' : null
}

const ROLES: Record<RstpPort['role'], BpduRole> = {
  disabled: 'unknown',
  root: 'root',
  designated: 'designated',
  alternate: 'alternate',
  backup: 'alternate',
}

/** txConfig, txTcn, txRstp: §17.21.19-17.21.21 */
const bpduOf = (bridge: BridgeState, port: RstpPort, type: BpduType): Bpdu => ({
  type,
  role: ROLES[port.role],
  topologyChange: !bridge.hasRunDown(port.tcWhile),
  topologyChangeAck: type === 'config' && port.tcAck,
  proposal: port.proposing,
  agreement: port.agree,
  learning: port.learning,
  forwarding: port.forwarding,
  priority: port.designatedPriority,
  times: port.designatedTimes,
})
