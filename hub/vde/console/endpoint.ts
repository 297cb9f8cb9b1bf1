/** What is plugged into a port, as the console numbers and names it. */
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'

export interface Endpoint {
  /** Of a VDE client its server's number; 0 for what the hub itself connected. */
  readonly id: number
  /** `unix prog`, or a kind of port: `nic`, `tap`, `tunnel`. */
  readonly module: string
  readonly description: string
  /** The user of a VDE client, null for what the hub itself connected. */
  readonly uid: number | null
}

/** By port, in the order in which they came; ports without any are not in it. */
export function endpointsOf({ bridge, facts }: BridgeConsole): Map<number, Endpoint[]> {
  const all = new Map<number, Endpoint[]>()
  for (const { id, port, uid, description } of facts.vde()?.endpoints() ?? []) {
    const own = all.get(port) ?? []
    own.push({ id, module: 'unix prog', description, uid })
    all.set(port, own)
  }
  for (const { number, port } of bridge.switch.portList) {
    if (port !== null && !all.has(number)) all.set(number, [hubEndpoint(port.name)])
  }
  return all
}

/** @param name  `KIND:WHAT` */
function hubEndpoint(name: string): Endpoint {
  const colon = name.indexOf(':')
  const [module, description] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)]
  return { id: 0, module, description, uid: null }
}
