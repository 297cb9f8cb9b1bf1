/** The table against the switch that it is bundled with. */
import { outcomeOf, vlanCases, type Way, waysOf } from '#test/conformance/vlan-case.ts'

/** Enough of them for a fault, and the quick ones. */
const WAYS: readonly Way[] = ['flood', 'unicast', 'super-frame']

/** The first row that the switch fails, as text; empty: none. */
export function firstFailure(): string {
  for (const row of vlanCases())
    for (const way of waysOf(row).filter((one) => WAYS.includes(one))) {
      const { vlan, leaves } = outcomeOf(row, way)
      if (vlan !== row.vlan || leaves !== row.leaves)
        return `${row.from}: ${row.frame} leaves ${row.to} as ${leaves}, learnt in ${vlan} (${way})`
    }
  return ''
}
