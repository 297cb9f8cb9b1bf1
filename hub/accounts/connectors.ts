/** Connector points: the bridges that agents may join, and who has joined them. */
import { z } from 'zod'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { type BridgeNames, joinableBridges, refuseUnjoinable } from '#hub/accounts/bridge-names.ts'
import { topologyOf } from '#hub/base/fabric-sockets.ts'
import { DEAD, EXTERNAL } from '#hub/base/topology-plan.ts'

export interface Connector {
  /** In full. */
  readonly bridge: string
  /** Null: of `hybridge serve --bridge`. */
  readonly topology: string | null
  /** Those that are there, or wait for their agent. */
  readonly ports: number
  /** Agents and clients of VDE that are here, `ann@site`. */
  readonly connected: readonly string[]
  /** Why agents may not join it; empty when they may. */
  readonly refusal: string
}

const Ports = z.array(z.object({ bridge: z.string(), name: z.string(), up: z.boolean() }))
type Ports = z.infer<typeof Ports>

/** Ports of those who come from outside: `tunnel:ann@site`, `plug:...`, `vde:...`. */
const GUEST = /^(?:tunnel|plug|vde):(?!\/)/

/** @throws ProtocolError `malformed` */
export function parseConnected(answer: unknown): Ports {
  const parsed = Ports.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ProtocolError('malformed', 'cannot read what the forwarding process tells of ports')
}

/** @param all  those, too, that nothing is plugged into, and those that nobody may join */
export function connectorsOf(names: BridgeNames, ports: Ports, all: boolean): Connector[] {
  const shown = new Set([...joinableBridges(names), ...ports.map(({ bridge }) => bridge)])
  if (all)
    for (const { name, bridges, declared } of names.topologies)
      for (const bridge of [...bridges, ...declared, EXTERNAL, DEAD]) shown.add(`${name}/${bridge}`)
  const connectors = [...shown].map((bridge): Connector => {
    const own = ports.filter((port) => port.bridge === bridge)
    return {
      bridge,
      topology: topologyOf(bridge) ?? null,
      ports: own.length,
      connected: own
        .filter(({ name, up }) => up && GUEST.test(name))
        .map(({ name }) => name.replace(GUEST, '')),
      refusal: refusalOf(bridge),
    }
  })
  return all ? connectors : connectors.filter(({ refusal }) => refusal === '')
}

export function refusalOf(bridge: string): string {
  try {
    refuseUnjoinable(bridge)
    return ''
  } catch (error) {
    return reasonOf(error)
  }
}
