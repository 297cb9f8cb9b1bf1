/** Questions to the kernel about links, addresses and routes of this network namespace: rtnetlink(7). */
import * as libc from '#net/port/libc.ts'
import { putU16le, putU32le, u16le, u32le } from '#net/wire/octets.ts'

const NETLINK_ROUTE = 0
const HEADER = 16 // struct nlmsghdr
const ATTRIBUTE = 4 // struct rtattr
const TYPE_MASK = 0x3fff
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300
/** The kernel fills at most 32 KiB a read (NLMSG_GOODSIZE). */
const READ_LEN = 32_768

export interface Message {
  readonly type: number
  /** What is behind the header: a structure of the type, then attributes. */
  readonly body: Uint8Array
}

/** All that the kernel has of a kind. @param type  RTM_GET...; @param body  its structure. @throws SystemError */
export const dump = (type: number, body: Uint8Array): Message[] => exchange(type, NLM_F_DUMP, body)

/** One thing; undefined: there is none. @throws SystemError */
export const ask = (type: number, body: Uint8Array): Message | undefined => exchange(type, 0, body)[0]

function exchange(type: number, flags: number, body: Uint8Array): Message[] {
  const what = 'cannot ask the kernel for links and routes'
  const fd = libc.socket(libc.AF_NETLINK, libc.SOCK_RAW | libc.SOCK_CLOEXEC, NETLINK_ROUTE)
  if (fd < 0) throw libc.systemError(what)
  try {
    const request = new Uint8Array(HEADER + body.length)
    putU32le(request, 0, request.length)
    putU16le(request, 4, type)
    putU16le(request, 6, NLM_F_REQUEST | flags)
    request.set(body, HEADER)
    if (libc.sendBuffer(fd, request, request.length, 0) < 0) throw libc.systemError(what)
    const messages: Message[] = []
    const octets = new Uint8Array(READ_LEN)
    for (;;) {
      const length = libc.recvBuffer(fd, octets, octets.length, 0)
      if (length <= 0) throw libc.systemError(what)
      const more = readMessages(octets.slice(0, length), messages)
      if (!more || flags === 0) return messages
    }
  } finally {
    libc.close(fd)
  }
}

/** Adds the messages of one read to `into`. @returns false when the answer is at its end */
export function readMessages(octets: Uint8Array, into: Message[]): boolean {
  for (let at = 0; at + HEADER <= octets.length;) {
    const length = u32le(octets, at)
    const type = u16le(octets, at + 4)
    if (type === NLMSG_DONE || type === NLMSG_ERROR || length < HEADER) return false
    into.push({ type, body: octets.subarray(at + HEADER, at + length) })
    at += align(length)
  }
  return true
}

/** What follows the structure of `from` octets; of a type that comes twice, the first. */
export function attributes(octets: Uint8Array, from: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>()
  for (let at = from; at + ATTRIBUTE <= octets.length;) {
    const length = u16le(octets, at)
    const type = u16le(octets, at + 2) & TYPE_MASK
    if (length < ATTRIBUTE) break
    if (!found.has(type)) found.set(type, octets.subarray(at + ATTRIBUTE, at + length))
    at += align(length)
  }
  return found
}

/** An attribute with its header, as a request has it. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const octets = new Uint8Array(align(ATTRIBUTE + value.length))
  putU16le(octets, 0, ATTRIBUTE + value.length)
  putU16le(octets, 2, type)
  octets.set(value, ATTRIBUTE)
  return octets
}

/** An attribute that is a number; 0 where there is none. */
export const numberOf = (value: Uint8Array | undefined): number =>
  value !== undefined && value.length >= 4 ? u32le(value, 0) : 0

/** An attribute that is text; empty where there is none. */
export const textOf = (value: Uint8Array | undefined): string =>
  value === undefined ? '' : (new TextDecoder().decode(value).split('\0', 1)[0] ?? '')

export const align = (length: number): number => (length + 3) & ~3
