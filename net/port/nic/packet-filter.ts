/**
 * The socket filter of an interface that is bridged and carries the tunnel as well. In the kernel, before a frame is
 * copied, it keeps out
 *
 * - frames to the machine's own address: they have arrived;
 * - packets of the tunnel's own connections, to and from the hub, behind up to four tags besides the one that the kernel
 *   takes off: each would go into the tunnel and make another one. `ConnectionMatcher` tells the same frames in JavaScript.
 */
import type { Connection } from '#net/port/nic/connection-matcher.ts'
import {
  ADD,
  ADD_X,
  AND,
  BpfAssembler,
  FROM_X,
  JUMP_ANY_BIT,
  JUMP_AT_LEAST,
  JUMP_EQUAL,
  LOAD_CONSTANT,
  LOAD_HALF_X,
  LOAD_LENGTH,
  LOAD_MEMORY,
  LOAD_OCTET_X,
  LOAD_WORD,
  LOAD_WORD_X,
  LOAD_X_CONSTANT,
  RETURN,
  SHIFT_LEFT,
  STORE,
  SUBTRACT_X,
  TO_X,
} from '#net/port/nic/bpf.ts'
import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  HEADER_LEN,
  MAX_TAGS,
  TAG_LEN,
  TPID_C_TAG,
  TPID_QINQ_9100,
  TPID_QINQ_9200,
  TPID_S_TAG,
} from '#net/wire/ethernet.ts'
import {
  IPV4_ADDRESS_LEN,
  IPV4_DESTINATION,
  IPV4_FRAGMENT,
  IPV4_HEADER_LEN,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  PROTOCOL_TCP,
} from '#net/wire/ipv4.ts'
import {
  EXTENSION_DESTINATION,
  EXTENSION_FRAGMENT,
  EXTENSION_HOP_BY_HOP,
  EXTENSION_ROUTING,
  IPV6_ADDRESS_LEN,
  IPV6_DESTINATION,
  IPV6_HEADER_LEN,
  IPV6_NEXT_HEADER,
  IPV6_SOURCE,
} from '#net/wire/ipv6.ts'
import { u32 } from '#net/wire/octets.ts'
import { TCP_PORTS_LEN } from '#net/wire/tcp.ts'

/** linux/filter.h: loads from here give facts about the packet instead of its octets. */
const ANCILLARY_PACKET_TYPE = 0xffff_f004
const PACKET_HOST = 0

const PASS = 0xffff_ffff
const DROP = 0
/** In the place of a port: the packet does not show its ports. Above any port. */
const ANY_PORT = 0x1_0000
const MORE_FRAGMENTS_AND_OFFSET = 0x3fff
const TYPE = 12
const EXTENSIONS = [EXTENSION_HOP_BY_HOP, EXTENSION_ROUTING, EXTENSION_FRAGMENT, EXTENSION_DESTINATION]

// Words of memory: an address takes one or four.
const SOURCE_PORT = 0
const DESTINATION_PORT = 1
const FRAGMENT = 2
const SOURCE = 4
const DESTINATION = 8

/** The program, as SO_ATTACH_FILTER takes it; a connection adds 16 instructions to it, over IPv6 40. */
export function packetFilter(connections: readonly Connection[]): Uint8Array {
  const b = new BpfAssembler()
  b.add(LOAD_WORD, ANCILLARY_PACKET_TYPE)
  endIf(b, JUMP_EQUAL, PACKET_HOST, DROP)

  skipTags(b)
  const v4 = b.label()
  const v6 = b.label()
  b.test(JUMP_EQUAL, ETHERTYPE_IPV4, { yes: v4 })
  endUnless(b, JUMP_EQUAL, ETHERTYPE_IPV6, PASS)
  b.jump(v6)

  b.place(v4)
  readIpv4(b)
  for (const connection of connections)
    if (connection.hub.length === IPV4_ADDRESS_LEN) dropConnection(b, connection)
  b.add(RETURN, PASS)

  b.place(v6)
  readIpv6(b)
  for (const connection of connections)
    if (connection.hub.length === IPV6_ADDRESS_LEN) dropConnection(b, connection)
  b.add(RETURN, PASS)
  return b.assemble()
}

/** Leaves the octets of the tags in X, and the type behind them in A. */
function skipTags(b: BpfAssembler): void {
  const done = b.label()
  b.add(LOAD_X_CONSTANT, 0)
  passShorter(b, HEADER_LEN)
  b.add(LOAD_HALF_X, TYPE)
  for (let i = 0; i < MAX_TAGS; i++) {
    const tag = b.label()
    for (const tpid of [TPID_C_TAG, TPID_S_TAG, TPID_QINQ_9100]) b.test(JUMP_EQUAL, tpid, { yes: tag })
    b.test(JUMP_EQUAL, TPID_QINQ_9200, { no: done })
    b.place(tag)
    b.add(FROM_X)
    b.add(ADD, TAG_LEN)
    b.add(TO_X)
    passShorter(b, HEADER_LEN)
    b.add(LOAD_HALF_X, TYPE)
  }
  b.place(done)
}

/** Puts addresses and ports of TCP over IPv4 (RFC 791 §3.1) in memory; what is none passes. Moves X. */
function readIpv4(b: BpfAssembler): void {
  passShorter(b, HEADER_LEN + IPV4_HEADER_LEN)
  b.add(LOAD_OCTET_X, HEADER_LEN)
  endIf(b, JUMP_AT_LEAST, 0x50, PASS) // another version than 4
  endUnless(b, JUMP_AT_LEAST, 0x45, PASS) // or a header of less than 5 words
  b.add(LOAD_OCTET_X, HEADER_LEN + IPV4_PROTOCOL)
  endUnless(b, JUMP_EQUAL, PROTOCOL_TCP, PASS)
  storeWords(b, HEADER_LEN + IPV4_SOURCE, SOURCE, IPV4_ADDRESS_LEN)
  storeWords(b, HEADER_LEN + IPV4_DESTINATION, DESTINATION, IPV4_ADDRESS_LEN)
  storeAnyPorts(b)
  b.add(LOAD_HALF_X, HEADER_LEN + IPV4_FRAGMENT)
  b.add(STORE, FRAGMENT)
  b.add(LOAD_OCTET_X, HEADER_LEN)
  b.add(AND, 0x0f)
  b.add(SHIFT_LEFT, 2)
  b.add(ADD_X)
  b.add(TO_X) // the octets of tags and IPv4 header
  passShorter(b, HEADER_LEN)
  const done = b.label()
  b.add(LOAD_MEMORY, FRAGMENT)
  b.test(JUMP_ANY_BIT, MORE_FRAGMENTS_AND_OFFSET, { yes: done })
  storePorts(b, HEADER_LEN)
  b.place(done)
}

/** The same of IPv6 (RFC 8200 §3): the ports behind extension headers, fragments among them, are not looked for. */
function readIpv6(b: BpfAssembler): void {
  passShorter(b, HEADER_LEN + IPV6_HEADER_LEN)
  b.add(LOAD_OCTET_X, HEADER_LEN)
  endIf(b, JUMP_AT_LEAST, 0x70, PASS)
  endUnless(b, JUMP_AT_LEAST, 0x60, PASS)
  storeWords(b, HEADER_LEN + IPV6_SOURCE, SOURCE, IPV6_ADDRESS_LEN)
  storeWords(b, HEADER_LEN + IPV6_DESTINATION, DESTINATION, IPV6_ADDRESS_LEN)
  storeAnyPorts(b)
  const done = b.label()
  b.add(LOAD_OCTET_X, HEADER_LEN + IPV6_NEXT_HEADER)
  for (const extension of EXTENSIONS) b.test(JUMP_EQUAL, extension, { yes: done })
  endUnless(b, JUMP_EQUAL, PROTOCOL_TCP, PASS)
  storePorts(b, HEADER_LEN + IPV6_HEADER_LEN)
  b.place(done)
}

/** Ends with DROP for a packet of the connection, in either direction. */
function dropConnection(b: BpfAssembler, { own, hub, port }: Connection): void {
  dropDirection(b, own, hub, DESTINATION_PORT, port)
  dropDirection(b, hub, own, SOURCE_PORT, port)
}

function dropDirection(
  b: BpfAssembler,
  from: Uint8Array,
  to: Uint8Array,
  portAt: number,
  port: number,
): void {
  const isPort = b.label()
  const other = b.label()
  b.add(LOAD_MEMORY, portAt)
  b.test(JUMP_EQUAL, port, { yes: isPort })
  b.test(JUMP_EQUAL, ANY_PORT, { no: other })
  b.place(isPort)
  for (let i = 0; i < from.length; i += 4) {
    b.add(LOAD_MEMORY, SOURCE + i / 4)
    b.test(JUMP_EQUAL, u32(from, i), { no: other })
    b.add(LOAD_MEMORY, DESTINATION + i / 4)
    b.test(JUMP_EQUAL, u32(to, i), { no: other })
  }
  b.add(RETURN, DROP)
  b.place(other)
}

function endIf(b: BpfAssembler, code: number, value: number, verdict: number): void {
  const on = b.label()
  b.test(code, value, { no: on })
  b.add(RETURN, verdict)
  b.place(on)
}

function endUnless(b: BpfAssembler, code: number, value: number, verdict: number): void {
  const on = b.label()
  b.test(code, value, { yes: on })
  b.add(RETURN, verdict)
  b.place(on)
}

/** Ends with PASS for a packet of less than X + `least` octets, which a load would end with DROP. */
function passShorter(b: BpfAssembler, least: number): void {
  b.add(LOAD_LENGTH)
  b.add(SUBTRACT_X)
  endIf(b, JUMP_AT_LEAST, 0x8000_0000, PASS) // below 0
  endUnless(b, JUMP_AT_LEAST, least, PASS)
}

/** Stores the octets at X + `from`. */
function storeWords(b: BpfAssembler, from: number, to: number, octets: number): void {
  for (let i = 0; i < octets; i += 4) {
    b.add(LOAD_WORD_X, from + i)
    b.add(STORE, to + i / 4)
  }
}

function storeAnyPorts(b: BpfAssembler): void {
  b.add(LOAD_CONSTANT, ANY_PORT)
  b.add(STORE, SOURCE_PORT)
  b.add(STORE, DESTINATION_PORT)
}

/** The ports of the TCP header at X + `at`. */
function storePorts(b: BpfAssembler, at: number): void {
  passShorter(b, at + TCP_PORTS_LEN)
  b.add(LOAD_HALF_X, at)
  b.add(STORE, SOURCE_PORT)
  b.add(LOAD_HALF_X, at + 2)
  b.add(STORE, DESTINATION_PORT)
}
