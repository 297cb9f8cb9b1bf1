/** TCP header (RFC 9293 §3.1). A segment is `b[at, end)`. */
import { putU16, putU32, u8 } from '#net/wire/octets.ts'

const TCP_HEADER_LEN = 20
/** Source and destination port, the header's first octets. */
export const TCP_PORTS_LEN = 4

/** Places of fields, octets from the header's start. */
export const TCP_SEQUENCE = 4
export const TCP_ACKNOWLEDGEMENT = 8
/** Data offset(4), reserved(4), flags(8). */
export const TCP_FLAGS = 12
export const TCP_WINDOW = 14
export const TCP_CHECKSUM = 16
export const TCP_URGENT = 18

export const TCP_FIN = 0x01
export const TCP_PSH = 0x08
export const TCP_ACK = 0x10
export const TCP_CWR = 0x80

/** Fields of one header; the next `decode` overwrites them. */
export class TcpHeader {
  /** TCP_* bits. */
  flags = 0
  /** Index in `b` of the first octet after the options. */
  payload = 0

  /** Reads the header; false when it is cut short, and the fields are then stale. */
  decode(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < TCP_HEADER_LEN) return false
    const length = (u8(b, at + TCP_FLAGS) >>> 4) << 2
    if (length < TCP_HEADER_LEN || end - at < length) return false
    this.flags = u8(b, at + TCP_FLAGS + 1)
    this.payload = at + length
    return true
  }
}

/** Writes a header without options, window 65535, checksum field 0. @returns the index after it. */
export function putTcp(
  b: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgement: number,
  flags: number,
): number {
  putU16(b, at, sourcePort)
  putU16(b, at + 2, destinationPort)
  putU32(b, at + TCP_SEQUENCE, sequence)
  putU32(b, at + TCP_ACKNOWLEDGEMENT, acknowledgement)
  putU16(b, at + TCP_FLAGS, ((TCP_HEADER_LEN >>> 2) << 12) | flags)
  putU16(b, at + TCP_WINDOW, 0xffff)
  putU32(b, at + TCP_CHECKSUM, 0)
  return at + TCP_HEADER_LEN
}
