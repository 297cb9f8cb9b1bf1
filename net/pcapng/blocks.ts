/**
 * Blocks of a capture file (pcapng, draft-ietf-opsawg-pcapng), little-endian. Each is
 *
 *    | type(4) | total length(4) | body, padded to 4 | options | total length(4) |
 *    option: | code(2) | length(2) | value, padded to 4 |
 *
 * Section header, interface descriptions and statistics are rare and made as they come; a packet block is written in
 * place and in two parts, the frame's octets between them being the caller's to copy.
 */
import { float64, putU16le, putU32le, putU8 } from '#net/wire/octets.ts'

const BLOCK_SECTION = 0x0a0d0d0a
const BLOCK_INTERFACE = 1
export const BLOCK_STATISTICS = 5
export const BLOCK_PACKET = 6

const OPTION_END = 0
const OPTION_COMMENT = 1
const SECTION_APPLICATION = 4
const INTERFACE_NAME = 2
const INTERFACE_DESCRIPTION = 3
const INTERFACE_RESOLUTION = 9
const PACKET_FLAGS = 2
const STATISTICS_RECEIVED = 4
const STATISTICS_DROPPED = 5

/** Link type of Ethernet. */
const ETHERNET = 1
/** Time stamps count microseconds: 10^-6 s. */
const MICROSECONDS = 6
const BYTE_ORDER = 0x1a2b3c4d
const TWO_32 = 0x1_0000_0000

/** Of packets, as the interface sees them. */
export const INBOUND = 1
export const OUTBOUND = 2

const padded = (octets: number): number => (octets + 3) & ~3

/** @param application  who writes the file */
export function sectionHeader(application: string): Uint8Array {
  const body = new Uint8Array(16)
  putU32le(body, 0, BYTE_ORDER)
  putU16le(body, 4, 1) // version 1.0
  body.fill(0xff, 8) // length of the section: not known
  return block(BLOCK_SECTION, body, [option(SECTION_APPLICATION, utf8(application))])
}

export interface InterfaceFields {
  readonly name: string
  readonly description: string
  /** Octets kept of a packet at most. */
  readonly snapLength: number
}

/** An Ethernet interface; it has the next number of the section, from 0. */
export function interfaceDescription({ name, description, snapLength }: InterfaceFields): Uint8Array {
  const body = new Uint8Array(8)
  putU16le(body, 0, ETHERNET)
  putU32le(body, 4, snapLength)
  return block(BLOCK_INTERFACE, body, [
    option(INTERFACE_NAME, utf8(name)),
    option(INTERFACE_DESCRIPTION, utf8(description)),
    option(INTERFACE_RESOLUTION, Uint8Array.of(MICROSECONDS)),
  ])
}

export interface StatisticsFields {
  readonly interfaceNumber: number
  /** When it was taken: microseconds since 1970. */
  readonly timeUs: number
  /** Packets that were to be captured, lost ones included. */
  readonly received: number
  /** Of them, those that are not in the file. */
  readonly dropped: number
}

export function interfaceStatistics(fields: StatisticsFields): Uint8Array {
  const body = new Uint8Array(12)
  putU32le(body, 0, fields.interfaceNumber)
  putTime(body, 4, Float64Array.of(fields.timeUs))
  return block(BLOCK_STATISTICS, body, [
    option(STATISTICS_RECEIVED, u64(fields.received)),
    option(STATISTICS_DROPPED, u64(fields.dropped)),
  ])
}

/** Of a packet block before the frame's octets. */
export const PACKET_START = 28
/** Flags, the end of options, and the total length; a comment is more. */
const PACKET_END = 16

/** The option of a packet block that says something for people. */
export const commentOption = (text: string): Uint8Array => option(OPTION_COMMENT, utf8(text))

/** Octets of a packet block. @param comment  of `commentOption`, or null */
export function packetBlockLength(captured: number, comment: Uint8Array | null): number {
  return PACKET_START + padded(captured) + PACKET_END + (comment === null ? 0 : comment.length)
}

/**
 * Writes what is before the frame's octets, which belong at `b[at + PACKET_START, + captured)`.
 * @param total  `packetBlockLength`
 * @param timeUs  microseconds since 1970, in an array, as a number of its own would be allocated
 * @param captured  octets of the frame that the block holds
 * @param octets  that the frame had
 */
export function putPacketStart(
  b: Uint8Array,
  at: number,
  total: number,
  interfaceNumber: number,
  timeUs: Float64Array,
  captured: number,
  octets: number,
): void {
  putU32le(b, at, BLOCK_PACKET)
  putU32le(b, at + 4, total)
  putU32le(b, at + 8, interfaceNumber)
  putTime(b, at + 12, timeUs)
  putU32le(b, at + 20, captured)
  putU32le(b, at + 24, octets)
}

/** Writes what is behind them. @param direction  INBOUND or OUTBOUND */
export function putPacketEnd(
  b: Uint8Array,
  at: number,
  total: number,
  captured: number,
  direction: number,
  comment: Uint8Array | null,
): void {
  let i = at + PACKET_START + captured
  for (; (i & 3) !== (at & 3); i++) putU8(b, i, 0)
  putU16le(b, i, PACKET_FLAGS)
  putU16le(b, i + 2, 4)
  putU32le(b, i + 4, direction)
  i += 8
  if (comment !== null) {
    for (let n = 0; n < comment.length; n++) putU8(b, i + n, comment[n] ?? 0)
    i += comment.length
  }
  putU32le(b, i, OPTION_END)
  putU32le(b, at + total - 4, total)
}

function block(type: number, body: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const parts = [body, ...options, new Uint8Array(4)]
  const total = 12 + parts.reduce((sum, part) => sum + part.length, 0)
  const octets = new Uint8Array(total)
  putU32le(octets, 0, type)
  putU32le(octets, 4, total)
  let at = 8
  for (const part of parts) {
    octets.set(part, at)
    at += part.length
  }
  putU32le(octets, at, total)
  return octets
}

function option(code: number, value: Uint8Array): Uint8Array {
  const octets = new Uint8Array(4 + padded(value.length))
  putU16le(octets, 0, code)
  putU16le(octets, 2, value.length)
  octets.set(value, 4)
  return octets
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function u64(value: number): Uint8Array {
  const octets = new Uint8Array(8)
  putU32le(octets, 0, value % TWO_32)
  putU32le(octets, 4, Math.floor(value / TWO_32))
  return octets
}

/** The upper half goes first, whatever the byte order. */
function putTime(b: Uint8Array, at: number, timeUs: Float64Array): void {
  const time = float64(timeUs, 0)
  const high = (time / TWO_32) | 0
  putU32le(b, at, high)
  putU32le(b, at + 4, (time - high * TWO_32) | 0)
}
