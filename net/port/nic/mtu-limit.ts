/** The largest MTU that the driver of an interface says it takes. */
import { ask, attributes, numberOf } from '#net/port/nic/rtnetlink.ts'
import { putU32le } from '#net/wire/octets.ts'

const LINK_HEADER = 16 // struct ifinfomsg
const RTM_GETLINK = 18
const IFLA_MAX_MTU = 51

/** Octets; undefined when the driver sets no limit, or the kernel (before 4.19) does not tell. @throws SystemError */
export function mtuLimit(index: number): number | undefined {
  const header = new Uint8Array(LINK_HEADER)
  putU32le(header, 4, index)
  const message = ask(RTM_GETLINK, header)
  if (message === undefined || message.body.length < LINK_HEADER) return undefined
  return numberOf(attributes(message.body, LINK_HEADER).get(IFLA_MAX_MTU)) || undefined
}
