/**
 * Filters of captures, in a part of the language of tcpdump (pcap-filter(7)):
 *
 *    filter     = test { ("and" | "or") test }            alike in rank, from left to right
 *    test       = "not" test | "(" filter ")" | primitive
 *    primitive  = (src|dst) ADDRESS | [src|dst] host ADDRESS | [src|dst] net NETWORK/BITS
 *               | [tcp|udp] [src|dst] (port N | portrange N-N)
 *               | ether ([src|dst] [host] MAC | proto N | broadcast | multicast) | broadcast | multicast
 *               | vlan [N] | arp | ip | ip6 | icmp | icmp6 | igmp | tcp | udp | less N | greater N
 *
 * Unlike tcpdump's, tags hide nothing: `host` and `port` look behind them, and `vlan N` is any of them. There is no
 * program that a stranger could send: a filter is text, read here, and each test ends after a bounded look at one frame.
 */
import {
  addressTest,
  type FrameTest,
  isAddress,
  macOctets,
  macTest,
  parseNetwork,
  portTest,
  type Side,
} from '#net/capture/filter-address.ts'
import { FilterWords } from '#net/capture/filter-words.ts'
import { FrameFields } from '#net/capture/frame-fields.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { u8 } from '#net/wire/octets.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '#net/wire/ethernet.ts'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '#net/wire/ipv4.ts'

/** Parentheses and nots around each other. */
const MAX_DEPTH = 64
const PROTOCOL_IGMP = 2

const etherType =
  (type: number): FrameTest =>
  (frame) =>
    frame.hasHeader && frame.ethernet.etherType === type
const protocol =
  (number: number): FrameTest =>
  (frame) =>
    frame.protocol === number
const broadcast = macTest(new Uint8Array(6).fill(0xff), 'dst')
const multicast: FrameTest = ({ hasHeader, b, start }) => hasHeader && (u8(b, start) & 1) === 1

const both =
  (a: FrameTest, b: FrameTest): FrameTest =>
  (frame) =>
    a(frame) && b(frame)
const any =
  (a: FrameTest, b: FrameTest): FrameTest =>
  (frame) =>
    a(frame) || b(frame)

/** Words that are a test by themselves. */
const SIMPLE: Readonly<Record<string, FrameTest>> = {
  arp: etherType(ETHERTYPE_ARP),
  ip: etherType(ETHERTYPE_IPV4),
  ip6: etherType(ETHERTYPE_IPV6),
  icmp: both(etherType(ETHERTYPE_IPV4), protocol(PROTOCOL_ICMP)),
  icmp6: both(etherType(ETHERTYPE_IPV6), protocol(PROTOCOL_ICMPV6)),
  igmp: both(etherType(ETHERTYPE_IPV4), protocol(PROTOCOL_IGMP)),
  tcp: protocol(PROTOCOL_TCP),
  udp: protocol(PROTOCOL_UDP),
  broadcast,
  multicast,
}
const PORT_WORDS = ['port', 'portrange', 'src', 'dst']
const EXPECTED = `is no test; there are host, net, port, portrange, ether, vlan, less, greater, ${Object.keys(SIMPLE).join(', ')}`

export class Filter {
  readonly #test: FrameTest
  readonly #fields = new FrameFields()

  /** @throws ConfigError with the column that is wrong */
  constructor(text: string) {
    const words = new FilterWords(text)
    this.#test = parse(words, 0)
    if (words.next !== '') words.fail('has no place here: tests are joined by and, or')
  }

  /** Whether a frame is wanted. */
  matches(b: Uint8Array, start: number, end: number): boolean {
    this.#fields.read(b, start, end)
    return this.#test(this.#fields)
  }
}

function parse(words: FilterWords, depth: number): FrameTest {
  let test = parseTest(words, depth)
  for (;;) {
    if (words.takes('and')) test = both(test, parseTest(words, depth))
    else if (words.takes('or')) test = any(test, parseTest(words, depth))
    else return test
  }
}

function parseTest(words: FilterWords, depth: number): FrameTest {
  if (depth > MAX_DEPTH) words.fail(`is inside more than ${MAX_DEPTH} parentheses`)
  if (words.takes('not')) {
    const test = parseTest(words, depth + 1)
    return (frame) => !test(frame)
  }
  if (!words.takes('(')) return parsePrimitive(words)
  const test = parse(words, depth + 1)
  if (!words.takes(')')) words.fail('stands where ")" is expected')
  return test
}

function parsePrimitive(words: FilterWords): FrameTest {
  const word = words.next
  const simple = Object.hasOwn(SIMPLE, word) ? SIMPLE[word] : undefined
  if (simple !== undefined) {
    words.take()
    const hasPorts = (word === 'tcp' || word === 'udp') && PORT_WORDS.includes(words.next)
    return hasPorts ? both(simple, parseAddressed(words)) : simple
  }
  switch (word) {
    case 'src':
    case 'dst':
    case 'host':
    case 'net':
    case 'port':
    case 'portrange':
      return parseAddressed(words)
    case 'ether':
      words.take()
      return parseEther(words)
    case 'vlan':
      words.take()
      return parseVlan(words)
    case 'less':
    case 'greater': {
      words.take()
      const octets = parseNumber(words, 0xffff, 'is no number of octets')
      const isLess = word === 'less'
      return ({ start, end }) => (isLess ? end - start <= octets : end - start >= octets)
    }
    default:
      return words.fail(EXPECTED)
  }
}

function parseAddressed(words: FilterWords): FrameTest {
  const side = parseSide(words)
  if (words.takes('net')) {
    const network = parseNetwork(words.take())
    if (network === undefined) words.fail('is no network, as 10.0.0.0/8', { before: true })
    if (network === null) words.fail('has bits beyond the length of its network', { before: true })
    return addressTest(network.octets, network.bits, side)
  }
  if (words.takes('port')) {
    const port = parseNumber(words, 0xffff, 'is no number of a port')
    return portTest(port, port, side)
  }
  if (words.takes('portrange')) {
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(words.take()) ?? []
    if (first === undefined || Number(first) > Number(last) || Number(last) > 0xffff)
      words.fail('is no range of ports, as 1000-2000', { before: true })
    return portTest(Number(first), Number(last), side)
  }
  words.takes('host')
  const text = words.take()
  if (!isAddress(text)) words.fail('is no IP address (names are not looked up)', { before: true })
  const octets = addressOctets(text)
  return addressTest(octets, octets.length * 8, side)
}

function parseSide(words: FilterWords): Side {
  if (words.takes('src')) return 'src'
  return words.takes('dst') ? 'dst' : 'either'
}

function parseEther(words: FilterWords): FrameTest {
  if (words.takes('broadcast')) return broadcast
  if (words.takes('multicast')) return multicast
  if (words.takes('proto')) return etherType(parseNumber(words, 0xffff, 'is no EtherType, as 0x88cc'))
  const side = parseSide(words)
  words.takes('host')
  const octets = macOctets(words.take())
  if (octets === undefined) words.fail('is no MAC address, as 02:00:00:00:00:01', { before: true })
  return macTest(octets, side)
}

function parseVlan(words: FilterWords): FrameTest {
  if (!/^\d/.test(words.next)) return ({ hasHeader, ethernet }) => hasHeader && ethernet.tagCount > 0
  const vid = parseNumber(words, 4095, 'is no VLAN: 0 to 4095')
  return ({ hasHeader, ethernet: { tagCount, tci } }) => {
    if (!hasHeader) return false
    for (let i = 0; i < tagCount; i++) if (((tci[i] ?? 0) & 0xfff) === vid) return true
    return false
  }
}

/** Decimal, or hexadecimal behind 0x. */
function parseNumber(words: FilterWords, most: number, why: string): number {
  const text = words.take()
  const number = /^(\d{1,6}|0x[0-9a-f]{1,4})$/i.test(text) ? Number(text) : NaN
  return number <= most ? number : words.fail(why, { before: true })
}
