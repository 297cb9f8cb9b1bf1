/** A way that swallows packets: no end of a connection hears of it. */
import type { Namespace } from '#test/support/netns.ts'

/** IPv4 packets that come in at one of these machines end there, until the function that is returned is called. */
export function blackHole(machines: readonly Namespace[]): () => void {
  for (const machine of machines) {
    machine.exec('nft', 'add', 'table', 'ip', 'hole')
    const chain = '{ type filter hook prerouting priority -300; policy drop; }'
    machine.exec('nft', 'add', 'chain', 'ip', 'hole', 'in', chain)
  }
  return () => {
    for (const machine of machines) machine.exec('nft', 'delete', 'table', 'ip', 'hole')
  }
}
