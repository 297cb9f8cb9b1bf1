/** The routes of this network namespace: through which interface packets leave. */
import * as libc from '#net/port/libc.ts'
import { type Message, align, ask, attribute, attributes, dump, numberOf } from '#net/port/nic/rtnetlink.ts'
import { u16, u16le, u32le, u8 } from '#net/wire/octets.ts'

const ROUTE_HEADER = 12 // struct rtmsg: family, prefix lengths, ..., type, flags
const TYPE = 7
const FLAGS = 8
const RTM_NEWROUTE = 24
const RTM_GETROUTE = 26
const RTN_UNICAST = 1
const RTM_F_CLONED = 0x200
const RTA_DST = 1
const RTA_SRC = 2
const RTA_OIF = 4
const RTA_MULTIPATH = 9
const RTA_MARK = 16
const NEXT_HOP = 8 // struct rtnexthop: length, flags, hops, index

export interface RouteQuestion {
  /** 4 or 16 octets. */
  readonly to: Uint8Array
  /** The sender's own address. */
  readonly from?: Uint8Array | undefined
  /** As `SO_MARK` gives packets; 0: none. */
  readonly mark?: number
}

/** Index of the interface through which packets leave; 0: there is no way. @throws SystemError */
export function routeTo({ to, from, mark = 0 }: RouteQuestion): number {
  const header = new Uint8Array(ROUTE_HEADER)
  header[0] = to.length === 4 ? libc.AF_INET : libc.AF_INET6
  header[1] = to.length * 8
  header[2] = (from?.length ?? 0) * 8
  const parts = [header, attribute(RTA_DST, to)]
  if (from !== undefined) parts.push(attribute(RTA_SRC, from))
  if (mark !== 0) parts.push(attribute(RTA_MARK, libc.intOctets(mark)))
  const answer = ask(RTM_GETROUTE, Buffer.concat(parts))
  return answer?.type === RTM_NEWROUTE ? numberOf(attributes(answer.body, ROUTE_HEADER).get(RTA_OIF)) : 0
}

/** Interfaces that have a route of their own to other machines, in any table. @throws SystemError */
export function routedLinks(): Set<number> {
  const found = new Set<number>()
  for (const family of [libc.AF_INET, libc.AF_INET6]) {
    const header = new Uint8Array(ROUTE_HEADER)
    header[0] = family
    for (const message of dump(RTM_GETROUTE, header)) for (const index of linksOf(message)) found.add(index)
  }
  return found
}

/** The interfaces of one route; none if it is not to other machines beyond the link itself. */
export function linksOf({ type, body }: Message): number[] {
  if (type !== RTM_NEWROUTE || body.length < ROUTE_HEADER) return []
  if (u8(body, TYPE) !== RTN_UNICAST || (u32le(body, FLAGS) & RTM_F_CLONED) !== 0) return []
  const found = attributes(body, ROUTE_HEADER)
  const to = found.get(RTA_DST)
  // fe80::/10 and ff00::/8, which every interface has.
  if (to?.length === 16 && (u8(to, 0) === 0xff || (u16(to, 0) & 0xffc0) === 0xfe80)) return []
  const hops = found.get(RTA_MULTIPATH)
  return [numberOf(found.get(RTA_OIF)), ...(hops === undefined ? [] : hopsOf(hops))].filter((i) => i !== 0)
}

function hopsOf(octets: Uint8Array): number[] {
  const found: number[] = []
  for (let at = 0; at + NEXT_HOP <= octets.length;) {
    const length = u16le(octets, at)
    if (length < NEXT_HOP) break
    found.push(u32le(octets, at + 4))
    at += align(length)
  }
  return found
}
