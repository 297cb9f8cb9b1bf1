/** From a topology to what is to run of it. */
import { createHash } from 'node:crypto'
import type { PlannedDevice, TopologyPlan } from '#hub/base/topology-plan.ts'
import { DEAD, type Device, EXTERNAL, type Topology } from '#hub/topology/topology.ts'

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
  /** `10.255.3`, of which the topology has 256 addresses; the devices' begin with .11. */
  readonly managementPrefix: string
}

const FIRST_MANAGEMENT_ADDRESS = 11
const MOST_MANAGED = 240

export function planOf(topology: Topology, options: PlanOptions): TopologyPlan {
  const { name, owner, managementPrefix } = options
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
    devices: topology.devices.map((device, i) => plannedDevice(device, i, options)),
    managementNetwork: isManaged ? `${managementPrefix}.0/24` : null,
  }
}

function plannedDevice(device: Device, index: number, options: PlanOptions): PlannedDevice {
  const { name, identity, consolePorts, managementPrefix } = options
  const { configuration } = device
  const isManaged = device.interfaces.some((one) => one.bridge === EXTERNAL) && index < MOST_MANAGED
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
    managementAddress: isManaged ? `${managementPrefix}.${FIRST_MANAGEMENT_ADDRESS + index}` : null,
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
