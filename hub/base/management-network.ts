/** Management networks: each topology whose devices are on the bridge `external` has a /24 out of the hub's pool. */
import { isIPv4 } from 'node:net'
import { ConfigError } from '#net/base/errors.ts'
import { ipv4Number, ipv4Text } from '#net/wire/ip-address.ts'

export const DEFAULT_MANAGEMENT_NETWORK = '10.255.0.0/16'
const OF_TOPOLOGY = 24
const SIZE = 1 << (32 - OF_TOPOLOGY)
/** Devices that one has addresses for. */
export const MOST_MANAGED = 240
/** More topologies than that never run. */
const MOST = 1 << 16
/** Before it are the hub's own. */
const FIRST_DEVICE = 11

/** @returns the text @throws ConfigError for one that is no IPv4 network of whole /24s */
export function parseManagementNetwork(text: string): string {
  const [, address = '', digits = ''] = /^([^/]*)\/(\d{1,2})$/.exec(text) ?? []
  const length = Number(digits)
  const isNetwork = isIPv4(address) && length >= 8 && length <= OF_TOPOLOGY
  if (isNetwork && ipv4Number(address) % 2 ** (32 - length) === 0) return text
  throw new ConfigError(
    `"${text}" is no network for topologies, as ${DEFAULT_MANAGEMENT_NETWORK}: an IPv4 network of /8 to /24, its first address before the slash`,
  )
}

/** @returns one of the pool that is not taken, `10.255.3.0/24`; undefined: all are */
export function freeManagementNetwork(pool: string, taken: ReadonlySet<string | null>): string | undefined {
  const [address = '', digits = ''] = pool.split('/')
  const first = ipv4Number(address)
  const count = Math.min(MOST, 2 ** (OF_TOPOLOGY - Number(digits)))
  for (let i = 0; i < count; i++) {
    const network = `${ipv4Text(first + i * SIZE)}/${OF_TOPOLOGY}`
    if (!taken.has(network)) return network
  }
  return undefined
}

/** @param place  of the device among those on the network, from 0 */
export const managementAddress = (network: string, place: number): string =>
  ipv4Text(ipv4Number(network.slice(0, network.indexOf('/'))) + FIRST_DEVICE + place)
