/**
 * The handshake of VDE, version 3, on the stream socket `ctl` in a switch's directory. A client that has bound a
 * datagram socket says where it is, and the switch answers with the address of its own, struct sockaddr_un:
 *
 *    0       4         8      12       14          122
 *    | magic | version | type | family | path[108] | description, to the message's end
 *
 * Numbers are in the order of the machine, which is little-endian where Hybridge runs. The type's low octet is 0 for a
 * port, 1 for the port of management clients; above it is the wanted port's number, 0 for any.
 */
import { ProtocolError } from '#net/base/errors.ts'
import * as libc from '#net/port/libc.ts'
import { SOCKADDR_UN, SUN_PATH } from '#net/port/unix-address.ts'
import { putU32le, u16le, u32le, u8 } from '#net/wire/octets.ts'

const MAGIC = 0xfeedface
const VERSION = 3
const TYPE_PORT = 0
const TYPE_MANAGEMENT = 1
const ADDRESS = 12
/** Octets before the description. */
export const REQUEST_LEN = ADDRESS + SOCKADDR_UN
/** Of any message: what switches read at once. */
export const LONGEST_REQUEST = 256
const LONGEST_DESCRIPTION = 127
/** A reply: the address alone. */
export const REPLY_LEN = SOCKADDR_UN

export interface PlugRequest {
  /** Wanted number, 0: any. */
  readonly port: number
  readonly isManagement: boolean
  /** Of the client's datagram socket, `SOCKADDR_UN` octets. */
  readonly address: Uint8Array
  /** Printable characters. */
  readonly description: string
}

export function encodeRequest({ port, isManagement, address, description }: PlugRequest): Uint8Array {
  const text = new TextEncoder().encode(description).subarray(0, LONGEST_DESCRIPTION)
  const octets = new Uint8Array(REQUEST_LEN + text.length)
  putU32le(octets, 0, MAGIC)
  putU32le(octets, 4, VERSION)
  putU32le(octets, 8, port * 256 + (isManagement ? TYPE_MANAGEMENT : TYPE_PORT))
  octets.set(address, ADDRESS)
  octets.set(text, REQUEST_LEN)
  return octets
}

/** @throws ProtocolError that says what is wrong with it */
export function decodeRequest(octets: Uint8Array): PlugRequest {
  if (octets.length < 8 || u32le(octets, 0) !== MAGIC)
    throw new ProtocolError('malformed', 'it is no request of VDE')
  if (u32le(octets, 4) !== VERSION) throw new ProtocolError('version', 'its request is not of version 3')
  if (octets.length < REQUEST_LEN || octets.length > LONGEST_REQUEST)
    throw new ProtocolError('malformed', `its request has ${octets.length} octets`)
  const type = u8(octets, 8)
  if (type !== TYPE_PORT && type !== TYPE_MANAGEMENT)
    throw new ProtocolError('malformed', `its request is of type ${type}`)
  return {
    port: u32le(octets, 8) >>> 8,
    isManagement: type === TYPE_MANAGEMENT,
    address: addressOf(octets.subarray(ADDRESS, REQUEST_LEN)),
    description: printableText(octets.subarray(REQUEST_LEN)),
  }
}

/** The address in a switch's reply. @throws ProtocolError */
export function decodeReply(octets: Uint8Array): Uint8Array {
  if (octets.length !== REPLY_LEN)
    throw new ProtocolError('malformed', `the reply has ${octets.length} octets, not ${REPLY_LEN}`)
  return addressOf(octets)
}

/** The path in an address, as octets; undefined for one that is in no file system. */
export function pathOf(address: Uint8Array): Uint8Array | undefined {
  const end = address.indexOf(0, SUN_PATH)
  return end === SUN_PATH ? undefined : address.subarray(SUN_PATH, end < 0 ? address.length : end)
}

function addressOf(octets: Uint8Array): Uint8Array {
  if (u16le(octets, 0) !== libc.AF_UNIX)
    throw new ProtocolError('malformed', `an address is of family ${u16le(octets, 0)}`)
  const address = Uint8Array.from(octets)
  // Behind a path may be anything; an abstract name, which begins with 0, is all of it.
  if (address[SUN_PATH] !== 0) {
    const end = address.indexOf(0, SUN_PATH)
    if (end >= 0) address.fill(0, end)
  }
  return address
}

/** What others may have for a description, without what could steer a terminal. */
function printableText(octets: Uint8Array): string {
  const text = new TextDecoder().decode(octets).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
  return text.slice(0, LONGEST_DESCRIPTION).trim()
}
