/** What a DHCP server gives to a host; nothing of it is believed before it makes sense. */
import {
  addressesOption,
  type DhcpMessage,
  OPTION_DOMAIN,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_NAME_SERVERS,
  OPTION_REBINDING_TIME,
  OPTION_RENEWAL_TIME,
  OPTION_ROUTERS,
  OPTION_ROUTES,
  wordOption,
} from '#net/wire/dhcp.ts'
import { ipv4Text } from '#net/wire/ip-address.ts'
import { u32, u8 } from '#net/wire/octets.ts'

/** Shorter ones would be renewed all the time. */
const LEAST_SECONDS = 10
/** setTimeout takes no more; a server may say "for ever". */
const MOST_SECONDS = 2_000_000
const MOST_ROUTES = 64
const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/

interface LeaseRoute {
  /** `198.51.100.0/24` */
  readonly destination: string
  /** `0.0.0.0`: on the link itself. */
  readonly gateway: string
}

export interface Lease {
  /** As a number of 32 bits. */
  readonly address: number
  readonly length: number
  readonly routes: readonly LeaseRoute[]
  readonly nameservers: readonly string[]
  /** '' when none is told. */
  readonly domain: string
  readonly seconds: number
  readonly renewSeconds: number
  readonly rebindSeconds: number
}

/** Of an offer or an acknowledgement; undefined when nobody could use the address. */
export function leaseOf(message: DhcpMessage): Lease | undefined {
  const { yourAddress: address } = message
  const told = wordOption(message, OPTION_MASK)
  const mask = told === 0 ? classMask(address) : told
  const hole = ~mask >>> 0
  if (!isHost(address) || (hole & (hole + 1)) !== 0) return undefined
  const seconds = Math.min(MOST_SECONDS, wordOption(message, OPTION_LEASE_TIME))
  if (seconds < LEAST_SECONDS) return undefined
  const rebind = wordOption(message, OPTION_REBINDING_TIME)
  const rebindSeconds = rebind > 0 && rebind < seconds ? rebind : (seconds * 7) / 8
  const renew = wordOption(message, OPTION_RENEWAL_TIME)
  const domain = new TextDecoder().decode(message.options.get(OPTION_DOMAIN)).replace(/\0+$/, '')
  return {
    address,
    length: Math.clz32(hole),
    routes: routesOf(message),
    nameservers: addressesOption(message, OPTION_NAME_SERVERS).filter(isHost).slice(0, 3).map(ipv4Text),
    domain: DOMAIN.test(domain) ? domain : '',
    seconds,
    renewSeconds: renew > 0 && renew < rebindSeconds ? renew : Math.min(seconds / 2, rebindSeconds),
    rebindSeconds,
  }
}

/** Routes without class take the place of the router (RFC 3442). */
function routesOf(message: DhcpMessage): LeaseRoute[] {
  const classless = message.options.get(OPTION_ROUTES)
  if (classless !== undefined) return classlessRoutes(classless)
  const [router] = addressesOption(message, OPTION_ROUTERS).filter(isHost)
  return router === undefined ? [] : [{ destination: '0.0.0.0/0', gateway: ipv4Text(router) }]
}

/** RFC 3442: prefix length, as many octets of the destination as it needs, router. */
function classlessRoutes(b: Uint8Array): LeaseRoute[] {
  const routes: LeaseRoute[] = []
  for (let at = 0; at < b.length && routes.length < MOST_ROUTES;) {
    const length = u8(b, at)
    const octets = (length + 7) >>> 3
    const next = at + 1 + octets + 4
    if (length > 32 || next > b.length) break
    const destination = new Uint8Array(4)
    destination.set(b.subarray(at + 1, at + 1 + octets))
    const kept = length === 0 ? 0 : (u32(destination, 0) & (-1 << (32 - length))) >>> 0
    const gateway = u32(b, at + 1 + octets)
    if (gateway === 0 || isHost(gateway))
      routes.push({ destination: `${ipv4Text(kept)}/${length}`, gateway: ipv4Text(gateway) })
    at = next
  }
  return routes
}

/** Of one machine: no network 0 and 127, no group, not everybody. */
const isHost = (address: number): boolean => {
  const first = address >>> 24
  return first !== 0 && first !== 127 && first < 224
}

/** RFC 791 §3.2, where a server tells no mask. */
function classMask(address: number): number {
  if (address < 0x8000_0000) return 0xff00_0000
  return address < 0xc000_0000 ? 0xffff_0000 : 0xffff_ff00
}
