/** From a topology to what is to run of it. */
import { EMPTY_CONFIGURATION, type HostConfiguration } from '#hub/base/host-configuration.ts'
import { derivedMac } from '#hub/base/derived-mac.ts'
import { managementAddress } from '#hub/base/management-network.ts'
import { DEAD, EXTERNAL, type PlannedDevice, type TopologyPlan } from '#hub/base/topology-plan.ts'
import { readHostConfiguration } from '#hub/topology/host-configuration.ts'
import { linuxName } from '#hub/topology/interface-name.ts'
import type { Configuration, Device, Topology } from '#hub/topology/topology.ts'

export interface PlanOptions {
  /** Under which it runs. */
  readonly name: string
  readonly owner: string
  /** What no other hub has, and this one always: MAC addresses come from it. */
  readonly identity: string
  /** Files of the set. */
  readonly read: (path: string) => string
  /** For as many devices as there are, in their order: TCP ports of their consoles. */
  readonly consolePorts: readonly number[]
  /** `10.255.3.0/24` */
  readonly managementNetwork: string
}

export function planOf(topology: Topology, options: PlanOptions): TopologyPlan {
  const { name, owner, managementNetwork } = options
  const managed = topology.devices.filter(({ interfaces }) =>
    interfaces.some(({ bridge }) => bridge === EXTERNAL),
  )
  const isManaged = topology.bridges.some((bridge) => bridge.name === EXTERNAL)
  return {
    name,
    owner,
    bridges: topology.bridges.map((bridge) => bridge.name).filter((bridge) => bridge !== DEAD),
    bridgeSettings: Object.fromEntries(
      topology.bridges
        .filter(({ settings }) => Object.keys(settings).length > 0)
        .map((bridge) => [bridge.name, bridge.settings]),
    ),
    cables: topology.cables.map(([a, b]) => [a, b]),
    declared: [...topology.declared],
    devices: topology.devices.map((device, i) =>
      plannedDevice(device, { ...options, index: i, managed: managed.indexOf(device) }),
    ),
    managementNetwork: isManaged ? managementNetwork : null,
  }
}

/** Where a device stands: among all, and among those on the management network; -1: it is not on it. */
interface PlacedOptions extends PlanOptions {
  readonly index: number
  readonly managed: number
}

function plannedDevice(device: Device, options: PlacedOptions): PlannedDevice {
  const { name, identity, consolePorts, managementNetwork, index, managed } = options
  const { configuration } = device
  return {
    name: device.name,
    hostname: device.hostname,
    kind: device.kind,
    interfaces: device.interfaces.map((one) => ({
      name: linuxName(one.name),
      mac: macOf(identity, name, device.name, one.name),
      bridge: one.bridge ?? null,
      ...(Object.keys(one.settings).length > 0 && { settings: one.settings }),
    })),
    ...(configuration === undefined
      ? { configuration: null, host: withDefaults(device, EMPTY_CONFIGURATION), problem: '' }
      : configurationOf(device, configuration, options)),
    consolePort: consolePorts[index] ?? 1,
    managementAddress: managed < 0 ? null : managementAddress(managementNetwork, managed),
  }
}

function configurationOf(
  device: Device,
  { path, source }: Configuration,
  { read }: PlanOptions,
): Pick<PlannedDevice, 'configuration' | 'host' | 'problem'> {
  const host = withDefaults(device, EMPTY_CONFIGURATION)
  const without = (problem: string) => ({ configuration: null, host, problem })
  if (path === undefined) return without(`its configuration ${source} is not in the file set`)
  const configuration = read(path)
  if (device.kind !== 'host') return { configuration, host, problem: '' }
  const names = device.interfaces.map(({ name }) => linuxName(name))
  const told = readHostConfiguration(configuration, names)
  if ('value' in told) return { configuration, host: withDefaults(device, told.value), problem: '' }
  return without(`its configuration ${source} is wrong: ${told.faults[0]?.reason ?? ''}`)
}

/** An interface of which nothing is said is up, and asks for its address where the hub has one for it. */
function withDefaults({ interfaces }: Device, host: HostConfiguration): HostConfiguration {
  const managed = interfaces.find(({ bridge }) => bridge === EXTERNAL)
  const all = interfaces.map((one) => {
    const name = linuxName(one.name)
    const said = Object.hasOwn(host.interfaces, name) ? host.interfaces[name] : undefined
    return [name, said ?? { addresses: [], gateways: [], dhcp: one === managed, slaac: false }] as const
  })
  return { ...host, interfaces: Object.fromEntries(all) }
}

const macOf = (...parts: readonly string[]): string =>
  [...derivedMac(...parts)].map((octet) => octet.toString(16).padStart(2, '0')).join(':')
