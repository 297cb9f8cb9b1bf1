/** From a plan to who gets which address in the management network: a device's first interface on it. */
import { EXTERNAL, type TopologyPlan } from '#hub/base/topology-plan.ts'
import type { ManagementConfig } from '#hub/fabric/management.ts'

export function managementOf(plan: TopologyPlan): ManagementConfig | undefined {
  const { managementNetwork: network, devices } = plan
  if (network === null) return undefined
  const leases = devices.flatMap(({ hostname, interfaces, managementAddress: address }) => {
    const first = interfaces.find(({ bridge }) => bridge === EXTERNAL)
    return first === undefined || address === null ? [] : [{ mac: first.mac, address, hostname }]
  })
  return { bridge: EXTERNAL, network, leases }
}
