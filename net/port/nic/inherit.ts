/** What one bridge of an interface leaves to the next. */
import { isLinkUp, linkMtu } from '#net/port/nic/link.ts'
import { isIpv6On } from '#net/port/nic/link-ipv6.ts'
import { type NicRecord, isAlive } from '#net/port/nic/record.ts'
import type { Warn } from '#net/port/nic/records.ts'

/** What a record still has to say of an interface: whose record it is, and who else bridges the interface. */
export function inherit(
  found: NicRecord | undefined,
  name: string,
  address: string,
  warn: Warn,
): Pick<NicRecord, 'mtu' | 'ipv6Mtu' | 'broughtUp' | 'ipv6Off' | 'featuresOff' | 'owners'> {
  const owners = found?.owners.filter(isAlive) ?? []
  // Without a living owner, another address tells that this interface has only the number of the recorded one.
  if (found === undefined || (owners.length === 0 && found.address !== address))
    return {
      mtu: undefined,
      ipv6Mtu: undefined,
      broughtUp: false,
      ipv6Off: false,
      featuresOff: [],
      owners: [],
    }
  if (owners.length < found.owners.length)
    warn(`${name} was left changed by a bridge that was killed: what it was before is put back at the end`)
  return {
    mtu: found.mtu?.set.includes(linkMtu(name)) === true ? found.mtu : undefined,
    ipv6Mtu: found.ipv6Mtu,
    broughtUp: found.broughtUp && isLinkUp(name),
    ipv6Off: found.ipv6Off && !isIpv6On(name),
    featuresOff: found.featuresOff,
    owners,
  }
}
