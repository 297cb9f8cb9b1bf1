/** Internet addresses of this machine on one interface: rtnetlink(7), RTM_GETADDR. */
import { isIPv6 } from 'node:net'
import * as libc from '#net/port/libc.ts'
import { putU16le, putU32le, u16, u16le, u32le, u8 } from '#net/wire/octets.ts'

const NETLINK_ROUTE = 0
const HEADER = 16 // struct nlmsghdr
const ADDRESS_HEADER = 8 // struct ifaddrmsg: family, prefix length, flags, scope, index
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const NLM_F_REQUEST_DUMP = 0x301
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const RT_SCOPE_LINK = 253
/** The kernel fills at most 32 KiB a read (NLMSG_GOODSIZE). */
const READ_LEN = 32_768

/**
 * Addresses with their prefix lengths, `192.0.2.1/24`, without the link-local IPv6 ones, which the kernel makes itself.
 * @throws SystemError
 */
export function linkAddresses(index: number): string[] {
  const fd = libc.socket(libc.AF_NETLINK, libc.SOCK_RAW | libc.SOCK_CLOEXEC, NETLINK_ROUTE)
  if (fd < 0) throw libc.systemError('cannot read addresses')
  try {
    const request = new Uint8Array(HEADER + ADDRESS_HEADER)
    putU32le(request, 0, request.length)
    putU16le(request, 4, RTM_GETADDR)
    putU16le(request, 6, NLM_F_REQUEST_DUMP)
    if (libc.sendBuffer(fd, request, request.length, 0) < 0) throw libc.systemError('cannot read addresses')
    const addresses: string[] = []
    const octets = new Uint8Array(READ_LEN)
    for (;;) {
      const length = libc.recvBuffer(fd, octets, octets.length, 0)
      if (length <= 0) throw libc.systemError('cannot read addresses')
      if (!readMessages(octets.subarray(0, length), index, addresses)) return addresses
    }
  } finally {
    libc.close(fd)
  }
}

/** Adds the addresses of interface `index` in one read of a dump to `into`. @returns false when the dump is at its end */
export function readMessages(octets: Uint8Array, index: number, into: string[]): boolean {
  for (let at = 0; at + HEADER <= octets.length;) {
    const length = u32le(octets, at)
    const type = u16le(octets, at + 4)
    if (type === NLMSG_DONE || type === NLMSG_ERROR || length < HEADER) return false
    if (type === RTM_NEWADDR && at + HEADER + ADDRESS_HEADER <= octets.length) {
      const message = octets.subarray(at + HEADER, at + length)
      const address = u32le(message, 4) === index ? addressOf(message) : undefined
      if (address !== undefined) into.push(address)
    }
    at += align(length)
  }
  return true
}

function addressOf(message: Uint8Array): string | undefined {
  const family = u8(message, 0)
  let octets: Uint8Array | undefined
  for (let at = ADDRESS_HEADER; at + 4 <= message.length;) {
    const length = u16le(message, at)
    const type = u16le(message, at + 2)
    if (length < 4) break
    // On a link to one peer IFA_ADDRESS is the peer's; IFA_LOCAL is always ours.
    if (type === IFA_LOCAL || (type === IFA_ADDRESS && octets === undefined))
      octets = message.subarray(at + 4, at + length)
    at += align(length)
  }
  if (octets === undefined) return undefined
  const prefix = u8(message, 1)
  if (family === libc.AF_INET && octets.length === 4) return `${octets.join('.')}/${prefix}`
  if (octets.length !== 16 || u8(message, 3) === RT_SCOPE_LINK) return undefined
  return `${ipv6Text(octets)}/${prefix}`
}

/** RFC 5952, which is how a URL writes its host. */
function ipv6Text(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => u16(octets, i * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

export const isIpv6 = (address: string): boolean => isIPv6(address.split('/', 1)[0] ?? '')

const align = (length: number): number => (length + 3) & ~3
