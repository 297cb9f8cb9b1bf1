/**
 * The sockets of forwarding processes: the hub's own, which has the bridges of `hybridge serve`, and one for each
 * running topology, whose bridges are called TOPOLOGY/BRIDGE. Relative to the data directory.
 */

export interface FabricSockets {
  /** Where it is asked and told. */
  readonly rpc: string
  /** Where the metrics process and the gateways ask for counters. */
  readonly counters: string
  /** Where gateways join tunnels. */
  readonly tunnel: string
  /** Where captures are asked for and read, by gateways and `hybridge capture`. */
  readonly capture: string
}

/** @param topology  undefined: the hub's own */
export function fabricSockets(topology?: string): FabricSockets {
  const prefix = topology === undefined ? 'run/' : `run/${topology}:`
  return {
    rpc: `${prefix}fabric.sock`,
    counters: `${prefix}counters.sock`,
    tunnel: `${prefix}tunnel.sock`,
    capture: `${prefix}capture.sock`,
  }
}

/** Characters of a full name at most: a topology's, a slash, a bridge's. */
export const LONGEST_BRIDGE = 63 + 1 + 255

/** Of a bridge by its full name; undefined: it is the hub's own. */
export function topologyOf(bridge: string): string | undefined {
  const slash = bridge.indexOf('/')
  return slash < 0 ? undefined : bridge.slice(0, slash)
}

/** Without its topology. */
export function shortName(bridge: string): string {
  return bridge.slice(bridge.indexOf('/') + 1)
}
