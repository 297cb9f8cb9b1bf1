/**
 * The interfaces of this network namespace, and what each is built on. Asked of the kernel itself: /sys may be that of
 * another network namespace, as after `nsenter --net`.
 */
import { type Message, ask, attributes, dump, numberOf, textOf } from '#net/port/nic/rtnetlink.ts'
import { putU32le, u32le } from '#net/wire/octets.ts'

const LINK_HEADER = 16 // struct ifinfomsg: family, type, index, flags, change
const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const IFLA_IFNAME = 3
const IFLA_LINK = 5
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_LINK_NETNSID = 37
const IFLA_PARENT_DEV_NAME = 56
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2

export interface Link {
  readonly index: number
  readonly name: string
  /** What software makes it: `vlan`, `veth`, `tun`; empty for most hardware and the loopback. */
  readonly kind: string
  /** Index of the one that it is built on, or of a veth's other end; 0: none. */
  readonly link: number
  /** That one is in another network namespace. */
  readonly isAcross: boolean
  /** Index of the bridge, bond or team that it is a port of; 0: none. */
  readonly master: number
  readonly isHardware: boolean
  /** The far end of a tunnel between two addresses, 4 or 16 octets. */
  readonly remote: Uint8Array | undefined
}

/** @throws SystemError */
export const readLinks = (): Link[] => dump(RTM_GETLINK, linkHeader(0)).flatMap((m) => parseLink(m) ?? [])

/** Undefined when there is none. @throws SystemError */
export function readLink(index: number): Link | undefined {
  const message = ask(RTM_GETLINK, linkHeader(index))
  return message && parseLink(message)
}

function linkHeader(index: number): Uint8Array {
  const octets = new Uint8Array(LINK_HEADER)
  putU32le(octets, 4, index)
  return octets
}

export function parseLink({ type, body }: Message): Link | undefined {
  if (type !== RTM_NEWLINK || body.length < LINK_HEADER) return undefined
  const found = attributes(body, LINK_HEADER)
  const info = attributes(found.get(IFLA_LINKINFO) ?? new Uint8Array(), 0)
  const kind = textOf(info.get(IFLA_INFO_KIND))
  return {
    index: u32le(body, 4),
    name: textOf(found.get(IFLA_IFNAME)),
    kind,
    link: numberOf(found.get(IFLA_LINK)),
    isAcross: found.has(IFLA_LINK_NETNSID),
    master: numberOf(found.get(IFLA_MASTER)),
    isHardware: kind === '' || found.has(IFLA_PARENT_DEV_NAME),
    remote: remoteOf(kind, info.get(IFLA_INFO_DATA)),
  }
}

/** Numbers of the attributes that name the far end, and the mark by which the packets to it are routed. */
const TUNNEL_ATTRIBUTES: Record<string, readonly [remote: number, mark: number]> = {
  gre: [7, 20],
  gretap: [7, 20],
  ip6gre: [7, 20],
  ip6gretap: [7, 20],
  ipip: [3, 20],
  sit: [3, 20],
  ip6tnl: [3, 20],
  vti: [5, 6],
  vti6: [5, 6],
}

/** Undefined also where the way there is not that of other packets. */
function remoteOf(kind: string, data: Uint8Array | undefined): Uint8Array | undefined {
  const [remoteType, markType] = TUNNEL_ATTRIBUTES[kind] ?? []
  if (remoteType === undefined || markType === undefined || data === undefined) return undefined
  const found = attributes(data, 0)
  const remote = found.get(remoteType)
  const isAddress = remote !== undefined && [4, 16].includes(remote.length) && remote.some((o) => o !== 0)
  return isAddress && numberOf(found.get(markType)) === 0 ? remote : undefined
}
