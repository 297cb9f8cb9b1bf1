/**
 * What is to run of a topology: made by the control process out of its files, read by the supervisor, which reads no
 * topology files. DATA/topologies/NAME/plan.json.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, ProtocolError, fileReasonOf } from '#net/base/errors.ts'
import { type HostConfiguration, SERVICES } from '#hub/base/host-configuration.ts'

/** Of one topology. */
export const MOST_BRIDGES = 1024
/** The management network. */
export const EXTERNAL = 'external'
/** A bridge whose ports are not connected to each other, or to anything. */
export const DEAD = 'dead'

/** Of a running topology, and of its devices: it is part of names of files and sockets. */
export const TOPOLOGY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const bridge = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^/]+$/)
/** As commands take them. */
const settings = z.record(z.string().max(64), z.string().max(4096))
const mac = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)

const PlannedInterface = z.object({
  /** `em0`; at most 15 octets, as Linux has it. */
  name: z.string().regex(/^[^\s/:]{1,15}$/),
  mac,
  /** Null: not connected. */
  bridge: bridge.nullable(),
  /** Of the port that it is plugged into. */
  settings: settings.optional(),
})

const CableEnd = z.object({ bridge, settings })

const prefix = z.object({ address: z.ipv4().or(z.ipv6()), length: z.int().min(0).max(128) })
const address = z.ipv4().or(z.ipv6())
const interfaceName = z.string().regex(/^[^\s/:]{1,15}$/)

const HostPlan: z.ZodType<HostConfiguration> = z.object({
  interfaces: z.record(
    interfaceName,
    z.object({
      addresses: z.array(prefix),
      gateways: z.array(address),
      dhcp: z.boolean(),
      slaac: z.boolean(),
      mtu: z.int().optional(),
    }),
  ),
  routes: z.array(z.object({ destination: prefix, gateway: address, interface: interfaceName.optional() })),
  nameservers: z.array(address),
  services: z.array(z.enum(SERVICES)),
  run: z.string(),
})

const PlannedDevice = z.object({
  name: z.string().regex(TOPOLOGY_NAME),
  hostname: z.string().min(1).max(255),
  kind: z.enum(['host', 'vjx', 'vptx', 'vmx', 'vjunos']),
  interfaces: z.array(PlannedInterface).max(64),
  /** Text of its configuration; null: factory default. */
  configuration: z
    .string()
    .max(1 << 20)
    .nullable(),
  /** What it does as a host: what is told by its configuration, all interfaces with it. Routers start as hosts, too. */
  host: HostPlan,
  /** Why it cannot be started; empty when it can. */
  problem: z.string().max(1000),
  /** TCP port of its console. */
  consolePort: z.int().min(1).max(65_535),
  /** In the management network; null: it has no interface there. */
  managementAddress: z.ipv4().nullable(),
})
export type PlannedDevice = z.infer<typeof PlannedDevice>

const TopologyPlan = z.object({
  name: z.string().regex(TOPOLOGY_NAME),
  /** Whose it is; empty: the operators'. */
  owner: z.string().max(256),
  /** Those with an interface. */
  bridges: z.array(bridge).max(MOST_BRIDGES),
  /** Others that the topology names: they are made when an agent joins them. */
  declared: z.array(bridge).max(MOST_BRIDGES).default([]),
  /** Of bridges that have some. */
  bridgeSettings: z.record(bridge, settings).default({}),
  /** From bridge to bridge. */
  cables: z
    .array(z.tuple([CableEnd, CableEnd]))
    .max(1024)
    .default([]),
  /** In the order of the file; a device's number is its place, from 1. */
  devices: z.array(PlannedDevice).max(512),
  /** `10.255.3.0/24`; null: no device is on the bridge `external`. */
  managementNetwork: z.cidrv4().nullable(),
})
export type TopologyPlan = z.infer<typeof TopologyPlan>

/** Is there as long as the topology is to run. */
export const runningMark = (topology: string): string => `topologies/${topology}/running`

export const planFile = (topology: string): string => `topologies/${topology}/plan.json`
/** What is to run next: the supervisor puts it in the place of the other when it starts it. */
export const newPlanFile = (topology: string): string => `${planFile(topology)}.new`

/** Octets: the same configuration may be that of many devices. */
const MAX_PLAN = 32 << 20

/** Working directory: the data directory. @throws ProtocolError `too-long` */
export function writePlan(plan: TopologyPlan): void {
  const text = JSON.stringify(plan)
  if (Buffer.byteLength(text) > MAX_PLAN)
    throw new ProtocolError('too-long', `the configurations of ${plan.name} are larger than 32 MiB together`)
  const file = newPlanFile(plan.name)
  writeFileSync(`${file}.part`, text, { mode: 0o600 })
  renameSync(`${file}.part`, file)
}

/** Working directory: the data directory. @throws ConfigError for one that is no plan */
export function readPlan(topology: string, file = planFile(topology)): TopologyPlan {
  const parsed = TopologyPlan.safeParse(jsonOf(file))
  if (!parsed.success)
    throw new ConfigError(`${file} is no plan: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  if (parsed.data.name !== topology) throw new ConfigError(`${file} is of ${parsed.data.name}`)
  return parsed.data
}

/** Whoever reads may be root, and the file anything that the service user put there: nothing of it is told. */
function jsonOf(file: string): unknown {
  let fd: number | undefined
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = fstatSync(fd)
    if (!status.isFile() || status.size > MAX_PLAN) throw new ConfigError('no plain file, or too long')
    return JSON.parse(readFileSync(fd, 'utf8'))
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is no JSON' : fileReasonOf(error)
    throw new ConfigError(`cannot read ${file}: ${reason}`, { cause: error })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
