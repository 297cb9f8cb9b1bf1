/**
 * What is to run of a topology: made by the control process out of its files, read by the supervisor, which reads no
 * topology files. DATA/topologies/NAME/plan.json.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, reasonOf } from '#net/base/errors.ts'

/** Of a running topology: it is part of names of files and sockets. */
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

const PlannedDevice = z.object({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
  hostname: z.string().min(1).max(255),
  kind: z.enum(['host', 'vjx', 'vptx', 'vmx', 'vjunos']),
  interfaces: z.array(PlannedInterface).max(64),
  /** Text of its configuration; null: factory default. */
  configuration: z
    .string()
    .max(1 << 20)
    .nullable(),
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
  bridges: z.array(bridge).max(1024),
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

export const planFile = (topology: string): string => `topologies/${topology}/plan.json`

/** Working directory: the data directory. @throws ConfigError for one that is no plan */
export function readPlan(topology: string): TopologyPlan {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(planFile(topology), 'utf8'))
  } catch (error) {
    throw new ConfigError(`cannot read what is to run of ${topology}: ${reasonOf(error)}`, { cause: error })
  }
  const parsed = TopologyPlan.safeParse(value)
  if (!parsed.success)
    throw new ConfigError(`${planFile(topology)} is no plan: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  if (parsed.data.name !== topology) throw new ConfigError(`${planFile(topology)} is of ${parsed.data.name}`)
  return parsed.data
}
