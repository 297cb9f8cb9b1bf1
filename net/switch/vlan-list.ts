/**
 * The VLANs of a switch, for people and machines. Transparent ports carry all of them and are left out: a VLAN is
 * listed when frames or addresses of it were seen, or when the mode of a port names it. So `tagged=all` alone lists
 * nothing.
 */
import type { VlanCounters } from '#net/switch/vlan-counters.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'
import { keyTpid, keyVid, type Tpid, VLAN_KEYS } from '#net/switch/vlan.ts'

export interface SwitchVlan {
  /** VID, 0: frames without a VLAN tag. */
  readonly vlan: number
  readonly tpid: Tpid
  /** Ports that send its frames without its tag; transparent ports are in neither list. */
  readonly untagged: readonly number[]
  readonly tagged: readonly number[]
  /** How many addresses are learnt in it. */
  readonly addresses: number
  /** Wire frames, and their octets without the FCS, that the switch received in it. */
  readonly frames: number
  readonly octets: number
}

/** @param addresses  how many are learnt, by VLAN key */
export function listVlans(
  entries: readonly SwitchPort[],
  counters: VlanCounters,
  addresses: ReadonlyMap<number, number>,
): SwitchVlan[] {
  const members = entries.filter((entry) => !entry.vlans.isTransparent)
  const named = new Set(members.flatMap((entry) => entry.vlans.named))
  const vlans: SwitchVlan[] = []
  for (let key = 0; key < VLAN_KEYS; key++) {
    const learnt = addresses.get(key) ?? 0
    const frames = counters.frames(key)
    if (frames === 0 && learnt === 0 && !named.has(key)) continue
    const ports = (form: 'untagged' | 'tagged'): number[] =>
      members.filter((entry) => entry.vlans.carries(key) === form).map((entry) => entry.number)
    vlans.push({
      vlan: keyVid(key),
      tpid: keyTpid(key),
      untagged: ports('untagged'),
      tagged: ports('tagged'),
      addresses: learnt,
      frames,
      octets: counters.octets(key),
    })
  }
  return vlans
}
