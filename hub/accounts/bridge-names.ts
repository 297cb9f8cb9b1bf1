/**
 * What a name of a bridge means. `TOPOLOGY/NAME` and `/NAME`, which is the hub's own, mean one bridge whoever asks; a name
 * alone means that of a topology of his own, of the hub, of another topology, the first of these that has it.
 */
import { someNames } from '#hub/base/some-names.ts'
import { ProtocolError } from '#net/base/errors.ts'
import { DEAD, EXTERNAL, type TopologyPlan } from '#hub/base/topology-plan.ts'

/** Of a topology's bridges, what names are made of. */
export type NamedTopology = Pick<TopologyPlan, 'name' | 'owner' | 'bridges' | 'declared'>

export interface BridgeNames {
  /** Of `hybridge serve --bridge`. */
  readonly hub: readonly string[]
  /** Those that run. */
  readonly topologies: readonly NamedTopology[]
}

export interface FoundBridge {
  /** `TOPOLOGY/NAME`; of the hub's own its name. */
  readonly bridge: string
  /** It may not be there yet: it is made when somebody joins it. */
  readonly isToMake: boolean
}

/** Stock bridges, which any topology may be asked for. */
const STOCK = /^private\d{1,3}$/

/**
 * @param user  undefined: an operator, to whom the hub's own are nearest
 * @throws ProtocolError `unknown-bridge`, `ambiguous-bridge`
 */
export function findBridge(name: string, user: string | undefined, names: BridgeNames): FoundBridge {
  const slash = name.indexOf('/')
  const found = slash < 0 ? byShortName(name, user, names) : byFullName(name, slash, names)
  if (found) return found
  const joinable = someNames(joinableBridges(names))
  throw new ProtocolError('unknown-bridge', `no bridge ${JSON.stringify(name)} here; bridges: ${joinable}`)
}

/** @throws ProtocolError `not-allowed`: no agent may join it, and why */
export function refuseUnjoinable(bridge: string): void {
  const slash = bridge.indexOf('/')
  if (slash < 0) return
  const topology = bridge.slice(0, slash)
  const name = bridge.slice(slash + 1)
  if (name === EXTERNAL)
    throw new ProtocolError(
      'not-allowed',
      `${bridge} is the management network of ${topology}: agents may join it only when its owner grants it, and there is no way to grant it yet`,
    )
  if (name === DEAD)
    throw new ProtocolError('not-allowed', `${bridge} connects nothing: its ports lead nowhere`)
}

/** Full names of bridges that have something to join. */
export function joinableBridges({ hub, topologies }: BridgeNames): string[] {
  const ofTopologies = topologies.flatMap(({ name, bridges }) =>
    bridges.filter((bridge) => bridge !== EXTERNAL).map((bridge) => `${name}/${bridge}`),
  )
  return [...hub, ...ofTopologies]
}

function byFullName(name: string, slash: number, { hub, topologies }: BridgeNames): FoundBridge | undefined {
  const bridge = name.slice(slash + 1)
  if (slash === 0) return hub.includes(bridge) ? { bridge, isToMake: false } : undefined
  const topology = topologies.find((one) => one.name === name.slice(0, slash))
  if (!topology) return undefined
  if (topology.bridges.includes(bridge)) return { bridge: name, isToMake: false }
  const isKnown = [EXTERNAL, DEAD, ...topology.declared].includes(bridge) || STOCK.test(bridge)
  return isKnown ? { bridge: name, isToMake: true } : undefined
}

function byShortName(
  name: string,
  user: string | undefined,
  { hub, topologies }: BridgeNames,
): FoundBridge | undefined {
  const isOwn = ({ owner }: NamedTopology): boolean => user !== undefined && owner === user
  const own = topologies.filter(isOwn)
  const others = topologies.filter((topology) => !isOwn(topology))
  const fromHub = hub.includes(name) ? [name] : []
  const having = (list: readonly NamedTopology[]): string[] => fullNames(list, name, ({ bridges }) => bridges)
  const made = first(name, [having(own), fromHub, having(others)])
  if (made !== undefined) return { bridge: made, isToMake: false }
  // What nothing is plugged into yet is meant only when there is no other of that name.
  const naming = (list: readonly NamedTopology[]): string[] =>
    fullNames(list, name, ({ declared }) => [EXTERNAL, DEAD, ...declared])
  const named = first(name, [naming(own), naming(others)])
  return named === undefined ? undefined : { bridge: named, isToMake: true }
}

const fullNames = (
  topologies: readonly NamedTopology[],
  name: string,
  bridgesOf: (topology: NamedTopology) => readonly string[],
): string[] =>
  topologies
    .filter((topology) => bridgesOf(topology).includes(name))
    .map((topology) => `${topology.name}/${name}`)

/** Of the first group that is not empty. @throws ProtocolError `ambiguous-bridge` */
function first(name: string, groups: readonly (readonly string[])[]): string | undefined {
  const group = groups.find(({ length }) => length > 0) ?? []
  if (group.length > 1)
    throw new ProtocolError(
      'ambiguous-bridge',
      `${JSON.stringify(name)} may be any of ${group.join(', ')}: name one of them`,
    )
  return group[0]
}
