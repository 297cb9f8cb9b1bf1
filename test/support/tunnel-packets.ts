/** Frames between an agent and its hub, and frames that only look like them. */
import { checksumOf, sum } from '#net/wire/checksum.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { makeFrame } from '#test/support/frames.ts'

export interface PacketFields {
  from: string
  fromPort: number
  to: string
  toPort: number
  /** `[TPID, TCI]`, outermost first. */
  tags?: readonly (readonly [number, number])[]
  /** Default: TCP. */
  protocol?: number
  /** Fragment offset, in units of 8 octets; with more to follow. Default: no fragment. */
  fragment?: number
  /** 32-bit words of IPv4 options. */
  options?: number
  /** IPv6 extension header before the ports, by its number, of 8 octets. */
  extension?: number
  destination?: string
  source?: string
}

const FRAGMENT_HEADER = 44
export const TCP = 6
export const UDP = 17

/** One packet, its transport header 20 octets long and without a checksum. */
export function packet(fields: PacketFields): Buffer {
  const { tags = [], ...rest } = fields
  const body = fields.from.includes(':') ? ipv6(rest) : ipv4(rest)
  const frame = makeFrame({
    destination: fields.destination ?? '02:00:00:00:00:0b',
    source: fields.source ?? '02:00:00:00:00:0a',
    tags,
    type: fields.from.includes(':') ? 0x86dd : 0x0800,
    length: 14 + tags.length * 4 + body.length,
  })
  frame.set(body, frame.length - body.length)
  return frame
}

function transport({ fromPort, toPort }: PacketFields): Buffer {
  const header = Buffer.alloc(20, 0x50)
  header.writeUInt16BE(fromPort, 0)
  header.writeUInt16BE(toPort, 2)
  return header
}

function ipv4(fields: PacketFields): Buffer {
  const { from, to, protocol = TCP, fragment, options = 0 } = fields
  const header = Buffer.alloc(20 + options * 4, 1)
  header[0] = 0x45 + options
  header.writeUInt16BE(header.length + 20, 2)
  header.writeUInt16BE(fragment === undefined ? 0x4000 : 0x2000 | fragment, 6)
  header[8] = 64
  header[9] = protocol
  header.set(addressOctets(from), 12)
  header.set(addressOctets(to), 16)
  header.writeUInt16BE(0, 10)
  header.writeUInt16BE(checksumOf(sum(header, 0, header.length)), 10)
  return Buffer.concat([header, transport(fields)])
}

function ipv6(fields: PacketFields): Buffer {
  const { from, to, protocol = TCP, fragment } = fields
  const extension = fragment === undefined ? fields.extension : FRAGMENT_HEADER
  const between = Buffer.alloc(extension === undefined ? 0 : 8)
  if (extension !== undefined) between[0] = protocol
  if (fragment !== undefined) between.writeUInt16BE((fragment << 3) | 1, 2)
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header.writeUInt16BE(between.length + 20, 4)
  header[6] = extension ?? protocol
  header[7] = 64
  header.set(addressOctets(from), 8)
  header.set(addressOctets(to), 24)
  return Buffer.concat([header, between, transport(fields)])
}
