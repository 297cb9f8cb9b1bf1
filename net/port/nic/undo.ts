/** Puts an interface back to what its record says it was. */
import { setFeatures } from '#net/port/nic/ethtool.ts'
import { isLinkUp, linkAddress, linkMtu, linkName, setLinkMtu, setLinkUp } from '#net/port/nic/link.ts'
import { ipv6Mtu, isIpv6On, ownIpv6Mtu, setIpv6, setIpv6Mtu } from '#net/port/nic/link-ipv6.ts'
import type { NicRecord } from '#net/port/nic/record.ts'

export interface Undone {
  /** For people: `MTU 1500`. */
  readonly done: readonly string[]
  /** What was thrown. */
  readonly failures: readonly unknown[]
  /** What is still to be undone, of nobody's; undefined: nothing. */
  readonly rest: NicRecord | undefined
}

const NOTHING: Undone = { done: [], failures: [], rest: undefined }

/** Whether the interface of this number is the recorded one: with another address, it is another interface. */
export function isRecordedLink({ index, address }: NicRecord): boolean {
  try {
    return linkAddress(linkName(index)) === address
  } catch {
    return false // there is none
  }
}

/** What somebody else has changed since stays. Never throws; an interface that is gone, or another one, needs nothing. */
export function undoChanges(record: NicRecord): Undone {
  if (!isRecordedLink(record)) return NOTHING
  const name = linkName(record.index)
  const { mtu, broughtUp, featuresOff, ipv6Off } = record
  const done: string[] = []
  const failures: unknown[] = []
  let rest: NicRecord = { ...record, owners: [] }
  const undo = (what: string, settled: Partial<NicRecord>, isDue: () => boolean, act: () => void): void => {
    try {
      if (isDue()) {
        act()
        done.push(what)
      }
      rest = { ...rest, ...settled }
    } catch (error) {
      failures.push(error)
    }
  }
  // What it has now, unless that is but the interface's, which it gets by itself.
  const six = ownIpv6Mtu(name) ?? record.ipv6Mtu
  // First: while it is up, IPv6 would make an address at once.
  undo(
    'down',
    { broughtUp: false },
    () => broughtUp && isLinkUp(name),
    () => setLinkUp(name, false),
  )
  undo(
    `${featuresOff.join(', ')} on`,
    { featuresOff: [] },
    () => featuresOff.length > 0,
    () => setFeatures(name, featuresOff, true),
  )
  undo(
    `MTU ${mtu?.before}`,
    { mtu: undefined },
    () => mtu !== undefined && mtu.set.includes(linkMtu(name)),
    () => setLinkMtu(name, mtu?.before ?? 0),
  )
  undo(
    'IPv6 on',
    { ipv6Off: false },
    () => ipv6Off && !isIpv6On(name),
    () => setIpv6(name, true),
  )
  // Last: both of the settings before forget it.
  undo(
    `IPv6 MTU ${six}`,
    { ipv6Mtu: undefined },
    () => six !== undefined && six <= linkMtu(name) && ipv6Mtu(name) !== six,
    () => setIpv6Mtu(name, six ?? 0),
  )
  if (linkName(record.index) === '') return NOTHING // it went away meanwhile
  return { done, failures, rest: failures.length > 0 ? rest : undefined }
}
