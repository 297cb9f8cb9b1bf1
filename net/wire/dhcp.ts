/**
 * DHCP messages (RFC 2131 §2) and their options (RFC 2132, RFC 3396). A message is `b[at, end)`, what UDP carries.
 *
 *    0   1      2     3     4    8     10     12      16      20      24      28        44      108    236
 *    op  htype  hlen  hops  xid  secs  flags  ciaddr  yiaddr  siaddr  giaddr  chaddr    sname   file   cookie, options
 */
import { putU16, putU32, putU8, u16, u32, u8 } from '#net/wire/octets.ts'

export const BOOT_REQUEST = 1
export const BOOT_REPLY = 2

/** Values of OPTION_TYPE. */
export const DHCP_DISCOVER = 1
export const DHCP_OFFER = 2
export const DHCP_REQUEST = 3
export const DHCP_ACK = 5
export const DHCP_NAK = 6
export const DHCP_INFORM = 8

export const OPTION_MASK = 1
export const OPTION_ROUTERS = 3
export const OPTION_NAME_SERVERS = 6
export const OPTION_HOST_NAME = 12
export const OPTION_DOMAIN = 15
export const OPTION_BROADCAST = 28
export const OPTION_ADDRESS = 50
export const OPTION_LEASE_TIME = 51
const OPTION_OVERLOAD = 52
export const OPTION_TYPE = 53
export const OPTION_SERVER = 54
export const OPTION_PARAMETERS = 55
export const OPTION_RENEWAL_TIME = 58
export const OPTION_REBINDING_TIME = 59
export const OPTION_CLIENT = 61
/** RFC 3442 */
export const OPTION_ROUTES = 121
const OPTION_PAD = 0
const OPTION_END = 255

const CHADDR = 28
const SNAME = 44
const FILE = 108
const COOKIE = 236
const OPTIONS = 240
const MAGIC = 0x63825363
const ETHERNET = 1
const MAC_LEN = 6
const BROADCAST_FLAG = 0x8000
/** What every relay and client takes (RFC 1542 §2.1). */
const LEAST_MESSAGE = 300

export interface DhcpMessage {
  /** BOOT_REQUEST or BOOT_REPLY. */
  readonly operation: number
  readonly transaction: number
  readonly seconds: number
  /** The client cannot take a reply that is addressed to it alone. */
  readonly wantsBroadcast: boolean
  /** Addresses are numbers of 32 bits; 0: none. The client's, which it uses already. */
  readonly clientAddress: number
  /** What the client is given. */
  readonly yourAddress: number
  readonly relayAddress: number
  /** 6 octets. */
  readonly mac: Uint8Array
  /** By code; the parts of an option that comes several times are joined. */
  readonly options: ReadonlyMap<number, Uint8Array>
}

/** Reads a message of an Ethernet client; undefined when it is none, cut short, or an option runs over its field. */
export function decodeDhcp(b: Uint8Array, at: number, end: number): DhcpMessage | undefined {
  if (end - at < OPTIONS || u32(b, at + COOKIE) !== MAGIC) return undefined
  const operation = u8(b, at)
  if (operation !== BOOT_REQUEST && operation !== BOOT_REPLY) return undefined
  if (u8(b, at + 1) !== ETHERNET || u8(b, at + 2) !== MAC_LEN) return undefined
  const options = new Map<number, Uint8Array>()
  if (!readOptions(b, at + OPTIONS, end, options)) return undefined
  const overload = options.get(OPTION_OVERLOAD)
  if (overload !== undefined) {
    const fields = overload.length === 1 ? u8(overload, 0) : 0
    if (fields < 1 || fields > 3) return undefined
    if ((fields & 1) !== 0 && !readOptions(b, at + FILE, at + COOKIE, options)) return undefined
    if ((fields & 2) !== 0 && !readOptions(b, at + SNAME, at + FILE, options)) return undefined
    options.delete(OPTION_OVERLOAD)
  }
  return {
    operation,
    transaction: u32(b, at + 4),
    seconds: u16(b, at + 8),
    wantsBroadcast: (u16(b, at + 10) & BROADCAST_FLAG) !== 0,
    clientAddress: u32(b, at + 12),
    yourAddress: u32(b, at + 16),
    relayAddress: u32(b, at + 24),
    mac: b.slice(at + CHADDR, at + CHADDR + MAC_LEN),
    options,
  }
}

/** An end that is missing is forgiven: the field's is taken. */
function readOptions(b: Uint8Array, at: number, end: number, options: Map<number, Uint8Array>): boolean {
  while (at < end) {
    const code = u8(b, at++)
    if (code === OPTION_END) return true
    if (code === OPTION_PAD) continue
    const next = at < end ? at + 1 + u8(b, at) : Infinity
    if (next > end) return false
    const before = options.get(code)
    const part = b.subarray(at + 1, next)
    options.set(code, before === undefined ? part.slice() : joined(before, part))
    at = next
  }
  return true
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

/** Options longer than 255 octets are written in parts (RFC 3396 §5); OPTION_TYPE should come first. */
export function encodeDhcp(message: DhcpMessage): Uint8Array {
  let length = OPTIONS + 1
  for (const value of message.options.values()) length += value.length + 2 * partsOf(value)
  const b = new Uint8Array(Math.max(length, LEAST_MESSAGE))
  putU8(b, 0, message.operation)
  putU8(b, 1, ETHERNET)
  putU8(b, 2, MAC_LEN)
  putU32(b, 4, message.transaction)
  putU16(b, 8, message.seconds)
  putU16(b, 10, message.wantsBroadcast ? BROADCAST_FLAG : 0)
  putU32(b, 12, message.clientAddress)
  putU32(b, 16, message.yourAddress)
  putU32(b, 24, message.relayAddress)
  b.set(message.mac, CHADDR)
  putU32(b, COOKIE, MAGIC)
  let at = OPTIONS
  for (const [code, value] of message.options)
    for (let part = 0; part < partsOf(value); part++) {
      const octets = value.subarray(part * 255, (part + 1) * 255)
      putU8(b, at, code)
      putU8(b, at + 1, octets.length)
      b.set(octets, at + 2)
      at += 2 + octets.length
    }
  putU8(b, at, OPTION_END)
  return b
}

const partsOf = (value: Uint8Array): number => Math.max(1, Math.ceil(value.length / 255))

/** An option of one octet; 0 when it is missing or of another length. */
export function octetOption(message: DhcpMessage, code: number): number {
  const value = message.options.get(code)
  return value?.length === 1 ? u8(value, 0) : 0
}

/** An address, or seconds; 0 when it is missing or of another length. */
export function wordOption(message: DhcpMessage, code: number): number {
  const value = message.options.get(code)
  return value?.length === 4 ? u32(value, 0) : 0
}

/** A list of addresses; of octets that make no whole address nothing is taken. */
export function addressesOption(message: DhcpMessage, code: number): number[] {
  const value = message.options.get(code) ?? new Uint8Array(0)
  return Array.from({ length: value.length >>> 2 }, (_, i) => u32(value, 4 * i))
}

/** The octets of an option that is an address or seconds. */
export function wordOctets(value: number): Uint8Array {
  const octets = new Uint8Array(4)
  putU32(octets, 0, value)
  return octets
}
