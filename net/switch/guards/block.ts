/**
 * Frames that a port may not send into a bridge: what servers, routers and switches say, and hosts should not.
 *
 *    dhcp   from UDP port 67 over IPv4, 547 over IPv6: answers of DHCP servers and relays (RFC 2131 §4.1, RFC 8415 §7.2)
 *    ra     ICMPv6 router advertisements (RFC 6105; packets whose headers cannot be followed, too: RFC 7113)
 *    bpdu   to 01:80:c2:00:00:00 and :08 (IEEE Std 802.1Q-2022 §8.6.3), 01:00:0c:cc:cc:cd (per-VLAN spanning trees)
 *    pause  MAC control: to 01:80:c2:00:00:01, or of type 8808 (IEEE Std 802.3-2022 §31)
 */
import { ConfigError } from '#net/base/errors.ts'
import { DROP_BLOCK_BPDU, DROP_BLOCK_DHCP, DROP_BLOCK_PAUSE, DROP_BLOCK_RA } from '#net/port/counters.ts'
import { Encapsulation } from '#net/switch/guards/encapsulation.ts'
import { FOUND, NONE, UNKNOWN, UpperLayer } from '#net/switch/guards/upper-layer.ts'
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '#net/wire/ethernet.ts'
import { PROTOCOL_ICMPV6, PROTOCOL_UDP } from '#net/wire/ipv4.ts'
import { IPV6_SOURCE } from '#net/wire/ipv6.ts'
import { u16, u32, u8 } from '#net/wire/octets.ts'

const KINDS = ['dhcp', 'ra', 'bpdu', 'pause'] as const
const DHCP = 1
const RA = 2
const BPDU = 4
const PAUSE = 8

/** A set of kinds, a bit each, in the order of `KINDS`; 0: nothing is blocked. */
export type BlockSet = number

/** Reads `dhcp+ra` or `none`. @throws ConfigError */
export function parseBlock(text: string): BlockSet {
  if (text === 'none') return 0
  let set = 0
  for (const name of text.split('+')) {
    const bit = KINDS.findIndex((kind) => kind === name)
    if (bit < 0)
      throw new ConfigError(`block=${text} is not valid: it is none, or of ${KINDS.join('+')}, joined by +`)
    set |= 1 << bit
  }
  return set
}

/** The text that `parseBlock` reads. */
export const formatBlock = (set: BlockSet): string =>
  KINDS.filter((_, bit) => ((set >> bit) & 1) === 1).join('+') || 'none'

const PASSES = -1
const TYPE = 12
const MAC_CONTROL = 0x8808
const DHCP_SERVER = 67
const DHCPV6_SERVER = 547
const UDP_HEADER = 8
const ROUTER_ADVERTISEMENT = 134
const ICMPV6_HEADER = 4
const HOP_LIMIT = 7

export class Block {
  private readonly set: BlockSet
  private readonly inside = new Encapsulation()
  private readonly upper = new UpperLayer()

  constructor(set: BlockSet) {
    this.set = set
  }

  /** @returns DROP_* of a frame of at least 14 octets that is blocked, else -1 */
  check(b: Uint8Array, start: number, end: number): number {
    const { set } = this
    if ((set & (BPDU | PAUSE)) !== 0 && (u8(b, start) & 1) === 1) {
      const reason = groupReason(u32(b, start), u16(b, start + 4))
      if (reason === DROP_BLOCK_BPDU && (set & BPDU) !== 0) return reason
      if (reason === DROP_BLOCK_PAUSE && (set & PAUSE) !== 0) return reason
    }
    if ((set & PAUSE) !== 0 && u16(b, start + TYPE) === MAC_CONTROL) return DROP_BLOCK_PAUSE
    return (set & (DHCP | RA)) === 0 ? PASSES : this.checkPacket(b, start, end)
  }

  private checkPacket(b: Uint8Array, start: number, end: number): number {
    const { inside, upper, set } = this
    const unknown = (set & RA) !== 0 ? DROP_BLOCK_RA : DROP_BLOCK_DHCP
    if (!inside.decode(b, start, end)) return unknown
    const at = inside.payload
    if (inside.type === ETHERTYPE_IPV4) {
      if ((set & DHCP) === 0) return PASSES
      const found = upper.ipv4(b, at, end)
      return found !== NONE && this.isFrom(b, found, DHCP_SERVER) ? DROP_BLOCK_DHCP : PASSES
    }
    if (inside.type !== ETHERTYPE_IPV6) return PASSES
    const found = upper.ipv6(b, at, end)
    if (found === NONE) return PASSES
    if ((set & RA) !== 0 && this.isRouterAdvertisement(b, at, found)) return DROP_BLOCK_RA
    return (set & DHCP) !== 0 && this.isFrom(b, found, DHCPV6_SERVER) ? DROP_BLOCK_DHCP : PASSES
  }

  /** A UDP datagram from a port, or what may be one. */
  private isFrom(b: Uint8Array, found: number, port: number): boolean {
    const { upper } = this
    if (found === UNKNOWN) return true
    if (upper.protocol !== PROTOCOL_UDP) return false
    return upper.end - upper.payload < UDP_HEADER || u16(b, upper.payload) === port
  }

  /** Hosts take advertisements from link-local addresses and with hop limit 255 only (RFC 4861 §6.1.2). */
  private isRouterAdvertisement(b: Uint8Array, at: number, found: number): boolean {
    const { upper } = this
    if ((u16(b, at + IPV6_SOURCE) & 0xffc0) !== 0xfe80 || u8(b, at + HOP_LIMIT) !== 255) return false
    if (found !== FOUND) return true
    if (upper.protocol !== PROTOCOL_ICMPV6) return false
    return upper.end - upper.payload < ICMPV6_HEADER || u8(b, upper.payload) === ROUTER_ADVERTISEMENT
  }
}

/** DROP_* of what is sent to a group address, -1 for all others. */
function groupReason(high: number, low: number): number {
  if (high === 0x0180c200) {
    if (low === 0x0000 || low === 0x0008) return DROP_BLOCK_BPDU
    return low === 0x0001 ? DROP_BLOCK_PAUSE : PASSES
  }
  return high === 0x01000ccc && low === 0xcccd ? DROP_BLOCK_BPDU : PASSES
}
