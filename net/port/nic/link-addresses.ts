/** Internet addresses of this machine on one interface. */
import { isIPv6 } from 'node:net'
import * as libc from '#net/port/libc.ts'
import { type Message, attributes, dump } from '#net/port/nic/rtnetlink.ts'
import { u16, u32le, u8 } from '#net/wire/octets.ts'

const ADDRESS_HEADER = 8 // struct ifaddrmsg: family, prefix length, flags, scope, index
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const RT_SCOPE_LINK = 253

/**
 * Addresses with their prefix lengths, `192.0.2.1/24`, without the link-local IPv6 ones, which the kernel makes itself.
 * @throws SystemError
 */
export const linkAddresses = (index: number): string[] =>
  addressesIn(dump(RTM_GETADDR, new Uint8Array(ADDRESS_HEADER)), index)

/** Those of interface `index` among the answers to RTM_GETADDR. */
export function addressesIn(messages: readonly Message[], index: number): string[] {
  const found: string[] = []
  for (const { type, body } of messages) {
    if (type !== RTM_NEWADDR || body.length < ADDRESS_HEADER || u32le(body, 4) !== index) continue
    const address = addressOf(body)
    if (address !== undefined) found.push(address)
  }
  return found
}

function addressOf(message: Uint8Array): string | undefined {
  const family = u8(message, 0)
  const found = attributes(message, ADDRESS_HEADER)
  // On a link to one peer IFA_ADDRESS is the peer's; IFA_LOCAL is always ours.
  const octets = found.get(IFA_LOCAL) ?? found.get(IFA_ADDRESS)
  if (octets === undefined) return undefined
  const prefix = u8(message, 1)
  if (family === libc.AF_INET && octets.length === 4) return `${addressText(octets)}/${prefix}`
  if (octets.length !== 16 || u8(message, 3) === RT_SCOPE_LINK) return undefined
  return `${addressText(octets)}/${prefix}`
}

/** Of 4 or 16 octets; IPv6 as RFC 5952 has it, which is how a URL writes its host. */
export function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => u16(octets, i * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

export const isIpv6 = (address: string): boolean => isIPv6(address.split('/', 1)[0] ?? '')
