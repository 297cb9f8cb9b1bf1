/** How large a topology with its cables may be. */
import { MOST_BRIDGES } from '#hub/base/topology-plan.ts'
import type { Diagnostics, Place } from '#hub/topology/language/source.ts'
import type { Topology } from '#hub/topology/topology.ts'

/** Of a switch's 1024; the others are for agents, and the management network. */
const MOST_PORTS = 1000

export function checkSizes({ bridges, cables }: Topology, end: Place, diagnostics: Diagnostics): void {
  if (bridges.length > MOST_BRIDGES) diagnostics.error(end, `more than ${MOST_BRIDGES} bridges`)
  const ends = new Map<string, number>()
  for (const { bridge } of cables.flat()) ends.set(bridge, (ends.get(bridge) ?? 0) + 1)
  for (const { name, ports } of bridges)
    if (ports.length + (ends.get(name) ?? 0) > MOST_PORTS)
      diagnostics.error(end, `more than ${MOST_PORTS} interfaces and cables on the bridge "${name}"`)
}
