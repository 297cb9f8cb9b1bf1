/** What agent and hub may change of an interface, to compare before and after. */
import type { Namespace } from '#test/support/netns.ts'

interface Link {
  mtu: number
  promiscuity: number
  flags: string[]
  address: string
}

export function nicSettings(machine: Namespace, nic: string): object {
  const [link]: Link[] = JSON.parse(machine.ip('-d', '-j', 'link', 'show', 'dev', nic))
  if (!link) throw new Error(`no interface ${nic}`)
  return {
    mtu: link.mtu,
    promiscuity: link.promiscuity,
    isUp: link.flags.includes('UP'),
    address: link.address,
    addresses: machine.ip('-brief', 'address', 'show', 'dev', nic).split(/\s+/).slice(2).join(' '),
    ipv6: machine.exec('sysctl', '-n', `net.ipv6.conf.${nic.replaceAll('.', '/')}.disable_ipv6`).trim(),
    // Without the first line, which names the interface.
    features: machine.exec('ethtool', '-k', nic).split('\n').slice(1).join('\n'),
  }
}
