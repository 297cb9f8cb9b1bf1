/** What around an interface harms a bridge: each is told with its remedy, and none is changed. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { linkAddress, linkIndex, linkName } from '#net/port/nic/link.ts'
import { readLink } from '#net/port/nic/link-table.ts'
import { linkAddresses } from '#net/port/nic/link-addresses.ts'

export interface Surroundings {
  /** Of this machine, without link-local IPv6 ones. */
  readonly addresses: readonly string[]
  /** The bridge, bond or team that it is a port of. */
  readonly master: string | undefined
  readonly isManaged: boolean
  /** Undefined: that cannot be known. */
  readonly isWireless: boolean | undefined
}

/**
 * What is to be told of interface `name` as it is now, one line each.
 * @param isUplink  it carries the tunnel: its addresses are as they must be
 */
export function nicHygiene(name: string, isUplink = false): string[] {
  const index = process.platform === 'linux' ? linkIndex(name) : 0
  if (index === 0) return []
  const called = linkName(index) || name
  const around = surroundingsOf(called, index)
  return warningsOf(called, isUplink ? { ...around, addresses: [] } : around)
}

/** @param name  of interface `index`, by no other name of it */
export const surroundingsOf = (name: string, index: number): Surroundings => ({
  addresses: addressesOf(index),
  master: masterOf(name),
  isManaged: isManaged(index),
  isWireless: isWireless(name, index),
})

function addressesOf(index: number): string[] {
  try {
    return linkAddresses(index)
  } catch {
    return []
  }
}

export function masterOf(name: string): string | undefined {
  try {
    const master = readLink(linkIndex(name))?.master ?? 0
    return (master !== 0 && linkName(master)) || undefined
  } catch {
    return undefined
  }
}

/** Undefined where /sys is that of another network namespace, as after `nsenter --net`. */
function isWireless(name: string, index: number): boolean | undefined {
  const directory = `/sys/class/net/${name}`
  try {
    const isOurs =
      Number(readFileSync(`${directory}/ifindex`, 'latin1')) === index &&
      readFileSync(`${directory}/address`, 'latin1').trim() === linkAddress(name)
    return isOurs ? ['wireless', 'phy80211'].some((entry) => existsSync(`${directory}/${entry}`)) : undefined
  } catch {
    return undefined
  }
}

function warningsOf(name: string, around: Surroundings): string[] {
  const { addresses, master } = around
  const warnings: string[] = []
  if (addresses.length > 0)
    warnings.push(
      `${name} has ${addresses.join(', ')}: this machine itself talks on the bridged LAN, and a peer that has the ` +
        `same address there is cut off; best it has none: ip address flush dev ${name}`,
    )
  if (master !== undefined) warnings.push(masterWarning(name, master))
  if (around.isManaged)
    warnings.push(
      `NetworkManager manages ${name} and may give it addresses or take it down: nmcli device set ${name} managed no`,
    )
  if (around.isWireless === undefined)
    warnings.push(
      `/sys does not show ${name}: whether it is Wi-Fi, which gets nothing across for other machines, is not known ` +
        '(`ip netns exec` brings the /sys of its network namespace)',
    )
  if (around.isWireless === true)
    warnings.push(
      `${name} is Wi-Fi: as a station it gets nothing across for other machines, as access points drop frames from ` +
        'foreign addresses; bridge an interface with a cable',
    )
  return warnings
}

export const masterWarning = (name: string, master: string): string =>
  `${name} is a port of ${master}, which takes its frames as well: they may come twice or loop; ` +
  `ip link set ${name} nomaster, or bridge ${master}`

/** As NetworkManager keeps it for its own restart. Devices of other network namespaces are not its. */
function isManaged(index: number): boolean {
  try {
    if (!isSystemNamespace()) return false
    return /^managed=true$/m.test(readFileSync(`/run/NetworkManager/devices/${index}`, 'utf8'))
  } catch {
    return false
  }
}

/** Whether this is the network namespace of process 1; true when it cannot be known. */
function isSystemNamespace(): boolean {
  const own = readlinkSync('/proc/self/ns/net')
  try {
    return readlinkSync('/proc/1/ns/net') === own
  } catch {
    return true
  }
}
