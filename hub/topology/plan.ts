/** From a topology to what is to run of it. */
import { createHash } from 'node:crypto'
import { DEAD, EXTERNAL, type PlannedDevice, type TopologyPlan } from '#hub/base/topology-plan.ts'
import type { Device, Topology } from '#hub/topology/topology.ts'
import { managementAddress } from '#hub/base/management-network.ts'

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
    declared: [...topology.declared],
    bridgeSettings: Object.fromEntries(
      topology.bridges
        .filter(({ settings }) => Object.keys(settings).length > 0)
        .map((bridge) => [bridge.name, bridge.settings]),
    ),
    cables: topology.cables.map(([a, b]) => [a, b]),
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
      name: one.name,
      mac: macOf(identity, name, device.name, one.name),
      bridge: one.bridge ?? null,
      ...(Object.keys(one.settings).length > 0 && { settings: one.settings }),
    })),
    ...(configuration === undefined
      ? { configuration: null, problem: '' }
      : configurationOf(configuration, options)),
    consolePort: consolePorts[index] ?? 1,
    managementAddress: managed < 0 ? null : managementAddress(managementNetwork, managed),
  }
}

function configurationOf(
  { path, source }: { readonly path: string | undefined; readonly source: string },
  { read }: PlanOptions,
): Pick<PlannedDevice, 'configuration' | 'problem'> {
  const missing = { configuration: null, problem: `its configuration ${source} is not in the file set` }
  if (path === undefined) return missing
  try {
    return { configuration: read(path), problem: '' }
  } catch {
    return missing
  }
}

/** A locally administered address, the same at every start. */
function macOf(...parts: readonly string[]): string {
  const octets = createHash('sha256').update(parts.join('\0')).digest().subarray(0, 6)
  octets[0] = ((octets[0] ?? 0) & 0xfc) | 0x02
  return [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(':')
}
