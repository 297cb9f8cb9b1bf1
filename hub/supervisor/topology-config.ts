/** From a plan to what the processes of the topology are told. */
import { DEVICE_CONSOLE_SOCKET, deviceDirectory } from '#hub/base/device-paths.ts'
import type { TopologyPlan } from '#hub/base/topology-plan.ts'
import type { TelnetConfig } from '#hub/console/telnet/config.ts'
import type { FabricConfig } from '#hub/fabric/fabric.ts'
import { managementOf } from '#hub/supervisor/management-leases.ts'

export const telnetConfig = (plan: TopologyPlan): TelnetConfig => ({
  devices: plan.devices.map((device, i) => ({
    name: `${plan.name}/${device.name}`,
    port: device.consolePort,
    socket: `${deviceDirectory(plan.name, i + 1)}/${DEVICE_CONSOLE_SOCKET}`,
  })),
})

/** Bridges of a topology go by TOPOLOGY/BRIDGE. */
export function fabricConfig(plan: TopologyPlan, identity: string): FabricConfig {
  const full = (bridge: string): string => `${plan.name}/${bridge}`
  const management = managementOf(plan)
  return {
    identity,
    bridges: plan.bridges.map((bridge) => ({
      name: full(bridge),
      settings: plan.bridgeSettings[bridge] ?? {},
    })),
    attach: [],
    cables: plan.cables.map(([a, b]) => ({
      ends: [
        { ...a, bridge: full(a.bridge) },
        { ...b, bridge: full(b.bridge) },
      ],
    })),
    devices: plan.devices.map((device, i) => ({
      name: device.name,
      directory: deviceDirectory(plan.name, i + 1),
      interfaces: device.interfaces.map(({ name, bridge, settings }) => ({
        name,
        bridge: bridge === null ? null : full(bridge),
        settings: settings ?? {},
      })),
    })),
    ...(management && { management: { ...management, bridge: full(management.bridge) } }),
  }
}
