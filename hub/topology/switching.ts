/**
 * `bridges.yaml` of a file set: what the language of topologies has no words for. Settings of bridges, as `hybridge bridge
 * set` takes them; cables from bridge to bridge; settings of the ports that devices are plugged into, as `hybridge bridge
 * port set` takes them.
 *
 *    bridges:
 *      ring1: { rstp: on, priority: 4096 }
 *    cables:
 *      - [ring1, { bridge: ring2, impair: delay=20ms }]
 *    ports:
 *      pc1:em1: { mode: "access,vlan=10" }
 */
import { z } from 'zod'
import { reasonOf } from '#net/base/errors.ts'
import { readYaml } from '#hub/base/yaml-text.ts'
import { checkBridgeSettings, checkPortSettings } from '#hub/fabric/check-settings.ts'
import type { Diagnostics, SourceFile } from '#hub/topology/language/source.ts'
import { DEAD, EXTERNAL } from '#hub/base/topology-plan.ts'
import { BRIDGE_NAME, type CableEnd, type Settings, type Topology } from '#hub/topology/topology.ts'

export const SWITCHING_FILE = 'bridges.yaml'

const MAX_CABLES = 1024

const value = z.union([z.string().max(4096), z.number(), z.boolean()]).transform(String)
const settings = z.record(z.string().max(64), value)

type Check = (settings: Settings) => void
/** What `check` finds wrong with it is a fault of this place. */
const checked = (check: Check) =>
  settings.superRefine((given, context) => {
    try {
      check(given)
    } catch (error) {
      context.addIssue(reasonOf(error))
    }
  })

const bridgeName = z
  .string()
  .regex(BRIDGE_NAME, 'cannot be the name of a bridge')
  .refine((name) => name !== DEAD && name !== EXTERNAL, 'is no bridge that a cable may lead to')
const portSettings = checked(checkPortSettings)
/** `ring1`, or `{ bridge: ring1, SETTING: VALUE }` */
const cableEnd = z.preprocess(
  (given) => (typeof given === 'string' ? { bridge: given } : given),
  settings.transform(({ bridge = '', ...rest }, context): CableEnd => {
    const issues = [bridgeName.safeParse(bridge), portSettings.safeParse(rest)].flatMap(
      ({ error }) => error?.issues ?? [],
    )
    for (const { message } of issues) context.addIssue(bridge === '' ? 'names no bridge' : message)
    return { bridge, settings: rest }
  }),
)

const TWO_ENDS = 'expected two bridges, as [ring1, ring2]'
const cable = z
  .array(z.unknown(), TWO_ENDS)
  .length(2, TWO_ENDS)
  .pipe(z.tuple([cableEnd, cableEnd]))

const schemaFor = (interfaces: ReadonlySet<string>) =>
  z.strictObject({
    bridges: z.record(bridgeName, checked(checkBridgeSettings)).default({}),
    cables: z.array(cable).max(MAX_CABLES).default([]),
    ports: z
      .record(
        z.string().refine((name) => interfaces.has(name), 'no such interface on a bridge, as pc1:em1'),
        portSettings,
      )
      .default({}),
  })

/** The topology with what the file says; faults are told. */
export function withSwitching(topology: Topology, file: SourceFile, diagnostics: Diagnostics): Topology {
  const plugged = topology.devices.flatMap(({ name, interfaces }) =>
    interfaces.flatMap((one) => (one.bridge === undefined ? [] : [`${name}:${one.name}`])),
  )
  const read = readYaml(file.text, schemaFor(new Set(plugged)))
  if ('faults' in read) {
    for (const { line, column, reason } of read.faults)
      diagnostics.error({ file, line, column, macro: '' }, reason)
    return topology
  }
  const { bridges, cables, ports } = read.value
  const known = new Map(topology.bridges.map((bridge) => [bridge.name, bridge]))
  const named = [...Object.keys(bridges), ...cables.flatMap((ends) => ends.map(({ bridge }) => bridge))]
  for (const name of named) if (!known.has(name)) known.set(name, { name, ports: [], settings: {} })
  return {
    ...topology,
    cables,
    declared: topology.declared.filter((name) => !known.has(name)),
    bridges: [...known.values()].map((bridge) => ({ ...bridge, settings: bridges[bridge.name] ?? {} })),
    devices: topology.devices.map((device) => ({
      ...device,
      interfaces: device.interfaces.map((one) => ({
        ...one,
        settings: ports[`${device.name}:${one.name}`] ?? {},
      })),
    })),
  }
}
