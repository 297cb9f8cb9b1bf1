/** Ways that swallow packets: no end of a connection hears of it. */
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

/**
 * A machine that is a bridge loses packets of more octets than these, until the function that is returned is called.
 * Who sends through it must not leave segmentation to the interface.
 */
export function loseLargePackets(bridge: Namespace, mostOctets: number): () => void {
  bridge.exec('nft', 'add', 'table', 'bridge', 'narrow')
  bridge.exec('nft', 'add chain bridge narrow forward { type filter hook forward priority 0; }')
  bridge.exec('nft', `add rule bridge narrow forward meta length > ${mostOctets} drop`)
  return () => void bridge.exec('nft', 'delete', 'table', 'bridge', 'narrow')
}
