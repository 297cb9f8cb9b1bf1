/** Whether there is such an interface, and whether it carries Ethernet. */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'

export interface NicFacts {
  /** As it was given. */
  readonly asked: string
  /** What it is called; undefined: there is none. */
  readonly name: string | undefined
  readonly isEthernet: boolean
  readonly address: string
  /** `veth`, `tun`; empty for most hardware. */
  readonly kind: string
  /** Those that there are, but for the loopback. */
  readonly all: readonly string[]
}

export function judgeNic(nic: NicFacts): Finding {
  const others = nic.all.filter((name) => name !== nic.name)
  const facts = { nic: nic.name ?? null, address: nic.address, kind: nic.kind, all: nic.all }
  if (nic.name === undefined)
    return failed(
      `there is no interface ${nic.asked}; there ${others.length === 1 ? 'is' : 'are'} ${others.join(', ') || 'none'}`,
      'name the one to bridge: -n NIC, HCONNECT_NIC or nic in the configuration file',
      facts,
    )
  if (!nic.isEthernet)
    return failed(
      `${nic.name} is no Ethernet interface`,
      'bridge one that is (`ip link` tells the type of each)',
      facts,
    )
  const alias = nic.asked === nic.name ? '' : `, called ${nic.name}`
  return ok(`${nic.asked}${alias}: ${nic.kind || 'hardware'}, ${nic.address}`, facts)
}

export const nicCheck: Check = {
  name: 'nic',
  title: 'interface',
  needs: ['koffi'],
  run: async ({ nic, system }) => judgeNic((await system()).nicFacts(nic)),
}
