/**
 * Which flow a frame belongs to, as a hash: frames of one flow give the same value.
 *
 * A flow is addresses, protocol and ports of an IP packet (ESP: the SPI; echoes: the identifier) behind its VLAN IDs.
 * Fragments go without ports, so that all of a datagram stay together. Any other frame, and one whose headers are cut
 * short, belongs to a flow by MAC addresses, VLAN IDs and type.
 */
import { EthernetHeader, ETHERTYPE_IPV4, ETHERTYPE_IPV6, HEADER_LEN, MAX_TAGS } from '#net/wire/ethernet.ts'
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMPV6_ECHO_REPLY, ICMPV6_ECHO_REQUEST } from '#net/wire/icmp.ts'
import {
  IPV4_ADDRESS_LEN,
  IPV4_SOURCE,
  Ipv4Header,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '#net/wire/ipv4.ts'
import { IPV6_ADDRESS_LEN, IPV6_SOURCE, Ipv6Header } from '#net/wire/ipv6.ts'
import { int32, u16, u32, u8 } from '#net/wire/octets.ts'

const PROTOCOL_ESP = 50
const PROTOCOL_SCTP = 132
const PROTOCOL_UDP_LITE = 136

const MAC_ADDRESSES_LEN = 12
const VID = 0xfff

/** Kinds of flow, in the first word's bits 24 to 27. */
const KIND_CUT_SHORT = 1 << 24
const KIND_ETHERNET = 2 << 24
const KIND_IPV4 = 4 << 24
const KIND_IPV6 = 6 << 24
const TAG_COUNT_SHIFT = 28

const ethernet = new EthernetHeader()
const ipv4 = new Ipv4Header()
const ipv6 = new Ipv6Header()
/** What is hashed; the first word says how the others are to be read. Longest: VLAN IDs, IPv6 addresses, ports. */
const words = new Int32Array(1 + MAX_TAGS / 2 + (2 * IPV6_ADDRESS_LEN) / 4 + 1)

/**
 * Hash of the flow of the frame `b[start, end)`, of any length: 31 bits, as a larger number would lie on the heap.
 * @param seed  32 bits; who does not know it cannot make flows that have the same value
 */
export function flowHash(b: Uint8Array, start: number, end: number, seed: number): number {
  if (!ethernet.decode(b, start, end)) {
    const length = Math.min(end - start, HEADER_LEN)
    words[0] = KIND_CUT_SHORT | length
    return mix(putOctets(b, start, start + length, 1), seed)
  }
  const { tagCount, etherType, payload } = ethernet
  const tags = tagCount << TAG_COUNT_SHIFT
  let n = 1
  for (let i = 0; i < tagCount; i += 2) words[n++] = (vlan(i) << 16) | (i + 1 < tagCount ? vlan(i + 1) : 0)
  if (etherType === ETHERTYPE_IPV4 && ipv4.decode(b, payload, end)) {
    words[0] = tags | KIND_IPV4 | ipv4.protocol
    const addresses = payload + IPV4_SOURCE
    n = putOctets(b, addresses, addresses + 2 * IPV4_ADDRESS_LEN, n)
    words[n++] = ipv4.isFragment ? 0 : ports(b, ipv4.payload, end, ipv4.protocol)
  } else if (etherType === ETHERTYPE_IPV6 && ipv6.decode(b, payload, end)) {
    words[0] = tags | KIND_IPV6 | ipv6.protocol
    const addresses = payload + IPV6_SOURCE
    n = putOctets(b, addresses, addresses + 2 * IPV6_ADDRESS_LEN, n)
    words[n++] = ipv6.isFragment ? 0 : ports(b, ipv6.payload, end, ipv6.protocol)
  } else {
    words[0] = tags | KIND_ETHERNET | etherType
    n = putOctets(b, start, start + MAC_ADDRESSES_LEN, n)
  }
  return mix(n, seed)
}

const vlan = (tag: number): number => (ethernet.tci[tag] ?? 0) & VID

/** Puts `b[from, to)` at `words[n]`. @returns the number of words then. */
function putOctets(b: Uint8Array, from: number, to: number, n: number): number {
  let i = from
  for (; i + 4 <= to; i += 4) words[n++] = u32(b, i)
  if (i < to) {
    let last = 0
    for (; i < to; i++) last = (last << 8) | u8(b, i)
    words[n++] = last
  }
  return n
}

/** What tells flows between two addresses apart, 32 bits; 0 when there is nothing. */
function ports(b: Uint8Array, at: number, end: number, protocol: number): number {
  switch (protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
    case PROTOCOL_SCTP:
    case PROTOCOL_UDP_LITE:
    case PROTOCOL_ESP:
      return end - at < 4 ? 0 : u32(b, at) | 0
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      return end - at < 6 || !isEcho(protocol, u8(b, at)) ? 0 : u16(b, at + 4)
    default:
      return 0
  }
}

const isEcho = (protocol: number, type: number): boolean =>
  protocol === PROTOCOL_ICMP
    ? type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY
    : type === ICMPV6_ECHO_REQUEST || type === ICMPV6_ECHO_REPLY

/**
 * Hash of the first `count` words: HalfSipHash with one round a word and three at the end, as Linux has it for tables
 * (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF").
 */
function mix(count: number, seed: number): number {
  let v0 = seed | 0
  let v1 = Math.imul(seed ^ (seed >>> 16), 0x9e3779b1)
  let v2 = v0 ^ 0x6c796765
  let v3 = v1 ^ 0x74656462
  for (let i = 0; i < count + 3; i++) {
    const word = i < count ? int32(words, i) : 0
    if (i === count) v2 ^= 0xff
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return (v1 ^ v3) >>> 1
}
