/** Puts an interface back to what its record says it was. */
import { reasonOf } from '#net/base/errors.ts'
import { setFeatures } from '#net/port/nic/ethtool.ts'
import { isLinkUp, linkMtu, linkName, setLinkMtu, setLinkUp } from '#net/port/nic/link.ts'
import { isIpv6On, setIpv6 } from '#net/port/nic/link-ipv6.ts'
import type { NicRecord } from '#net/port/nic/record.ts'
import type { Warn } from '#net/port/nic/records.ts'

/**
 * What somebody else has changed since stays. Never throws: what cannot be undone is told, an interface that is gone
 * needs nothing. @returns what was done, for people
 */
export function undoChanges(record: NicRecord, warn: Warn): string[] {
  const name = linkName(record.index)
  if (name === '') return []
  const done: string[] = []
  const undo = (what: string, isDue: () => boolean, act: () => void): void => {
    try {
      if (!isDue()) return
      act()
      done.push(what)
    } catch (error) {
      warn(`cannot restore ${name}: ${reasonOf(error)}`)
    }
  }
  const { mtu, broughtUp, featuresOff, ipv6Off } = record
  // First: while it is up, IPv6 would make an address at once.
  undo(
    'down',
    () => broughtUp && isLinkUp(name),
    () => setLinkUp(name, false),
  )
  undo(
    `${featuresOff.join(', ')} on`,
    () => featuresOff.length > 0,
    () => {
      if (!setFeatures(name, featuresOff, true)) throw new Error('the driver refuses its offloads')
    },
  )
  if (mtu !== undefined)
    undo(
      `MTU ${mtu.before}`,
      () => linkMtu(name) === mtu.set,
      () => setLinkMtu(name, mtu.before),
    )
  undo(
    'IPv6 on',
    () => ipv6Off && !isIpv6On(name),
    () => setIpv6(name, true),
  )
  return done
}
