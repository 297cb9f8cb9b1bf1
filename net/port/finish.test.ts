import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Finisher, MAX_SEGMENTS, MIN_SCRATCH } from '#net/port/finish.ts'
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, putEthernet, TPID_C_TAG } from '#net/wire/ethernet.ts'
import { PROTOCOL_TCP, PROTOCOL_UDP, putIpv4 } from '#net/wire/ipv4.ts'
import { EXTENSION_HOP_BY_HOP, EXTENSION_DESTINATION, putIpv6 } from '#net/wire/ipv6.ts'
import { putTcp, TCP_ACK, TCP_CWR, TCP_FIN, TCP_PSH } from '#net/wire/tcp.ts'
import { insertTag } from '#net/wire/tag.ts'
import { putUdp } from '#net/wire/udp.ts'
import {
  FLAG_DATA_VALID,
  FLAG_NEEDS_CHECKSUM,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  isPlain,
  putHeader,
  VIRTIO_HEADER_LEN,
} from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const newFinisher = (octets = MIN_SCRATCH): Finisher => new Finisher(new FrameMemory(new Uint8Array(octets)))
const finished = (f: Finisher, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => {
    const at = f.count - count + i
    return f.memory.bytes.subarray(f.starts[at], f.ends[at])
  })
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')

/** Virtio header and super-frame, and the frames that Linux 6.18 sends for it on an interface without offloads. */
const FROM_LINUX: [string, string, string[]][] = [
  [
    'TCP over IPv4 behind a tag, with FIN, PSH, CWR; sequence and identification wrap',
    '018146000800260010000200000000020200000000018100600a080045000047ffff40004006b6adc0000201c000020203e807d0fffffffa00000007809901f4843d00000101080a0000000100000002303132333435363738393a3b3c3d3e3f404142',
    [
      '0200000000020200000000018100600a08004500003cffff40004006b6b8c0000201c000020203e807d0fffffffa00000007809001f417b000000101080a00000001000000023031323334353637',
      '0200000000020200000000018100600a08004500003c000040004006b6b8c0000201c000020203e807d00000000200000007801001f4f80800000101080a000000010000000238393a3b3c3d3e3f',
      '0200000000020200000000018100600a080045000037000140004006b6bcc0000201c000020203e807d00000000a00000007801901f462ac00000101080a0000000100000002404142',
    ],
  ],
  [
    'UDP over IPv6',
    '01053e0008003600060002000000000202000000000186dd60000000001b114020010db800000000000000000000000120010db800000000000000000000000203e807d0001b5ba1303132333435363738393a3b3c3d3e3f404142',
    [
      '02000000000202000000000186dd600000000010114020010db800000000000000000000000120010db800000000000000000000000203e807d00010cbd03031323334353637',
      '02000000000202000000000186dd600000000010114020010db800000000000000000000000120010db800000000000000000000000203e807d00010abb038393a3b3c3d3e3f',
      '02000000000202000000000186dd60000000000b114020010db800000000000000000000000120010db800000000000000000000000203e807d0000b166a404142',
    ],
  ],
  [
    'TCP over IPv6, shorter than one segment',
    '01044a0064003600100002000000000202000000000186dd600000000027064020010db800000000000000000000000120010db8000000000000000000000002001400500000000000000000501820005ba20000303132333435363738393a3b3c3d3e3f404142',
    [
      '02000000000202000000000186dd600000000027064020010db800000000000000000000000120010db800000000000000000000000200140050000000000000000050182000f7dd0000303132333435363738393a3b3c3d3e3f404142',
    ],
  ],
  [
    'TCP over IPv6 with a routing header under way',
    '0104720008005e00100002000000000202000000000186dd60000000004f2b4020010db800000000000000000000000120010db8000000000000000000000002060404010100000020010db800000000000000000000009920010db8000000000000000000000002001400500000000000000000501820005c390000303132333435363738393a3b3c3d3e3f404142',
    [
      '02000000000202000000000186dd6000000000442b4020010db800000000000000000000000120010db8000000000000000000000002060404010100000020010db800000000000000000000009920010db800000000000000000000000200140050000000000000000050102000668c00003031323334353637',
      '02000000000202000000000186dd6000000000442b4020010db800000000000000000000000120010db8000000000000000000000002060404010100000020010db800000000000000000000009920010db8000000000000000000000002001400500000000800000000501020004664000038393a3b3c3d3e3f',
      '02000000000202000000000186dd60000000003f2b4020010db800000000000000000000000120010db8000000000000000000000002060404010100000020010db800000000000000000000009920010db800000000000000000000000200140050000000100000000050182000b1080000404142',
    ],
  ],
]
const memoryOf = (frame: string): FrameMemory => new FrameMemory(Uint8Array.from(Buffer.from(frame, 'hex')))
const goldenMemory = (i: number): FrameMemory => memoryOf(FROM_LINUX[i]?.[1] ?? '')

/** IPv4 and UDP, whose field holds the sum of the pseudo-header: c000+0201+c000+0202+0011+000a gives 841f. */
const OPEN_UDP =
  '01000000000022000600' +
  '020000000002020000000001' +
  '08004500001e0000000040110000c0000201c0000202' +
  '03e807d0000a841f'

describe('Finisher.finish', () => {
  it.each(FROM_LINUX)('cuts as Linux does: %s', (_, frame, expected) => {
    const f = newFinisher()
    const memory = memoryOf(frame)
    expect(f.finish(memory, VIRTIO_HEADER_LEN, memory.bytes.length)).toBe(expected.length)
    expect(finished(f, expected.length).map(hex)).toEqual(expected)
    // As merged on receive: the virtio header has type and size only, the checksum field is not to be believed.
    const merged = memory.bytes
    putHeader(merged, VIRTIO_HEADER_LEN, FLAG_DATA_VALID, merged[1] ?? 0, 0, merged[4] ?? 0, 0, 0)
    expect(f.finish(memory, VIRTIO_HEADER_LEN, merged.length)).toBe(expected.length)
    expect(f.count).toBe(2 * expected.length)
    expect(finished(f, expected.length).map(hex)).toEqual(expected)
  })

  it('refuses a super-frame cut inside its headers', () => {
    const f = newFinisher()
    for (const [, frame, segments] of FROM_LINUX) {
      const memory = memoryOf(frame)
      const payload = memory.bytes.length - 19
      for (let end = VIRTIO_HEADER_LEN; end < payload; end++)
        expect(f.finish(memory, VIRTIO_HEADER_LEN, end)).toBe(-1)
      expect([f.count, segments.length > 0]).toEqual([0, true])
      expect(f.finish(memory, VIRTIO_HEADER_LEN, payload)).toBe(1) // Headers only.
      f.reset()
    }
  })

  it('gives wire frames that are right by an independent reader', () => {
    const f = newFinisher(MIN_SCRATCH + 7)
    fc.assert(
      fc.property(superFrames, (spec) => {
        const { memory, start, end } = build(spec)
        const before = memory.bytes.slice()
        let n = f.finish(memory, start, end)
        if (n === 0) {
          f.reset()
          n = f.finish(memory, start, end)
        }
        expect(Buffer.compare(memory.bytes, before)).toBe(0)
        expectSegments(spec, before.subarray(start, end), finished(f, n))
        expectRoom(f)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a multiple of the size', 3000, 1000, 3],
    ['one octet more', 3001, 1000, 4],
    ['one octet less', 2999, 1000, 3],
    ['one segment', 1000, 1000, 1],
    ['nothing', 0, 1000, 1],
    ['as many segments as there may be', MAX_SEGMENTS * 100, 100, MAX_SEGMENTS],
    ['one segment more than there may be', MAX_SEGMENTS * 100 + 1, 100, -1],
    ['one-octet segments', 600, 1, -1],
  ])('payload is %s', (_, payload, size, expected) => {
    const spec: Spec = { ...PLAIN_SPEC, payload, size }
    const { memory, start, end } = build(spec)
    const f = newFinisher()
    expect(f.finish(memory, start, end)).toBe(expected)
    expect(f.count).toBe(Math.max(0, expected))
    if (expected > 0) expectSegments(spec, memory.bytes.subarray(start, end), finished(f, expected))
  })

  it('refuses segments longer than an IP packet can be', () => {
    const f = newFinisher()
    const fits = build({ ...PLAIN_SPEC, payload: 65495, size: 65535 })
    expect(f.finish(fits.memory, fits.start, fits.end)).toBe(1)
    const tooLong = build({ ...PLAIN_SPEC, payload: 65496, size: 65535 })
    expect(f.finish(tooLong.memory, tooLong.start, tooLong.end)).toBe(-1)
  })

  it('writes a UDP checksum of 0 as 0xffff', () => {
    const spec: Spec = { ...PLAIN_SPEC, tcp: false, payload: 4, size: 2 }
    const { memory, start, end } = build(spec)
    const f = newFinisher()
    memory.bytes.fill(0, end - 4, end)
    f.finish(memory, start, end)
    const first = finished(f, 2)[0] ?? new Uint8Array(0)
    // Putting what is missing to 0xffff into the payload makes the checksum 0.
    memory.bytes.set(first.subarray(40, 42), end - 4)
    expect(f.finish(memory, start, end)).toBe(2)
    expect(finished(f, 2).map((b) => hex(b.subarray(40, 42)))[0]).toBe('ffff')
    expectSegments(spec, memory.bytes.subarray(start, end), finished(f, 2))
  })

  it('completes an open checksum at its place, the UDP one never 0', () => {
    const f = newFinisher()
    for (const [payload, checksum] of [
      ['0000', '701e'],
      ['701e', 'ffff'],
      ['ff', '711d'],
    ] as const) {
      const memory = memoryOf(OPEN_UDP + payload)
      expect(f.finish(memory, VIRTIO_HEADER_LEN, memory.bytes.length)).toBe(1)
      const out = hex(finished(f, 1)[0] ?? new Uint8Array(0))
      expect(out).toBe((OPEN_UDP + payload).slice(20).replace('841f', checksum))
    }
    expectRoom(f)
  })

  it('copies a frame that has nothing open, and refuses an untrue header', () => {
    const f = newFinisher()
    const memory = new FrameMemory(Uint8Array.from({ length: 74 }, (_, i) => i))
    putHeader(memory.bytes, 14, FLAG_DATA_VALID, GSO_NONE, 0, 0, 0, 0)
    expect(f.finish(memory, 14, 74)).toBe(1)
    expect(finished(f, 1)).toEqual([memory.bytes.subarray(14, 74)])
    expectRoom(f)
    putHeader(memory.bytes, 14, FLAG_NEEDS_CHECKSUM, GSO_NONE, 0, 0, 50, 9)
    expect(f.finish(memory, 14, 74)).toBe(-1)
    expect(f.count).toBe(1)
  })

  it('says when the scratch is full, keeps what is there, and goes on after a reset', () => {
    const f = newFinisher()
    const { memory, start, end } = build({ ...PLAIN_SPEC, payload: 60000, size: 1000 })
    let calls = 0
    while (f.finish(memory, start, end) === 60) calls++
    expect(calls).toBe(3)
    expect(f.count).toBe(180)
    expectSegments(
      { ...PLAIN_SPEC, payload: 60000, size: 1000 },
      memory.bytes.subarray(start, end),
      finished(f, 60),
    )
    f.reset()
    expect(f.count).toBe(0)
    expect(f.finish(memory, start, end)).toBe(60)

    const small = goldenMemory(1)
    f.reset()
    let n = 0
    while (f.finish(small, VIRTIO_HEADER_LEN, small.bytes.length) > 0) n += 3
    expect(n).toBe(1023)
  })

  it('takes the largest super-frame in the most segments, and refuses a smaller scratch', () => {
    const spec: Spec = { ...PLAIN_SPEC, tags: 4, ipv4Options: 10, tcpOptions: 10, payload: 65415, size: 128 }
    const { memory, start, end } = build(spec)
    const f = newFinisher()
    expect(f.finish(memory, start, end)).toBe(512)
    expectSegments(spec, memory.bytes.subarray(start, end), finished(f, 512))
    expect(() => newFinisher(MIN_SCRATCH - 1)).toThrow(RangeError)
  })

  it('survives damaged frames: nothing outside the scratch, nothing thrown', () => {
    const f = newFinisher()
    const damage = fc.array(fc.tuple(fc.nat(160), fc.nat(255)), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.nat(FROM_LINUX.length - 1), damage, (which, changes) => {
        const memory = goldenMemory(which)
        for (const [i, octet] of changes) if (i < memory.bytes.length) memory.bytes[i] = octet
        f.reset()
        const n = f.finish(memory, VIRTIO_HEADER_LEN, memory.bytes.length)
        expect(n === -1 ? f.count === 0 : n === f.count && n > 0).toBe(true)
        expectRoom(f)
      }),
      { numRuns: 2000 },
    )
  })

  it('allocates nothing', () => {
    const f = newFinisher()
    const memories = FROM_LINUX.map(([, frame]) => memoryOf(frame))
    const plain = memoryOf(`${FROM_LINUX[0]?.[1]}`)
    putHeader(plain.bytes, VIRTIO_HEADER_LEN, FLAG_NEEDS_CHECKSUM, GSO_NONE, 0, 0, 38, 16)
    memories.push(plain)
    const each = bytesPerCall(
      () => {
        f.reset()
        for (const m of memories) f.finish(m, VIRTIO_HEADER_LEN, m.bytes.length)
      },
      20_000,
      12,
    )
    expect(each).toBeLessThan(8)
  })
})

interface Spec {
  /** Octets before the virtio header, TAG_ROOM not counted. */
  offset: number
  tags: number
  ipv6: boolean
  tcp: boolean
  /** 32-bit words. */
  ipv4Options: number
  tcpOptions: number
  /** IPv6 extension headers. */
  extensions: number
  identification: number
  sequence: number
  tcpFlags: number
  payload: number
  size: number
  /** The virtio header says nothing but type and size. */
  merged: boolean
}

const PLAIN_SPEC: Spec = {
  offset: 0,
  tags: 0,
  ipv6: false,
  tcp: true,
  ipv4Options: 0,
  tcpOptions: 0,
  extensions: 0,
  identification: 7,
  sequence: 0,
  tcpFlags: TCP_ACK,
  payload: 0,
  size: 1,
  merged: false,
}

const superFrames: fc.Arbitrary<Spec> = fc
  .record({
    offset: fc.nat(7),
    tags: fc.nat(4),
    ipv6: fc.boolean(),
    tcp: fc.boolean(),
    ipv4Options: fc.nat(10),
    tcpOptions: fc.nat(10),
    extensions: fc.nat(3),
    identification: fc.nat(0xffff),
    sequence: fc.nat(0xffffffff),
    tcpFlags: fc
      .constantFrom(0, TCP_FIN, TCP_PSH, TCP_CWR, TCP_FIN | TCP_PSH | TCP_CWR)
      .map((bits) => bits | TCP_ACK),
    size: fc.integer({ min: 1, max: 1500 }),
    segments: fc.nat(20),
    last: fc.nat(1500),
    merged: fc.boolean(),
  })
  .map(({ segments, last, ...rest }) => ({
    ...rest,
    payload: segments * rest.size + (last % (rest.size + 1)),
  }))

const networkOf = (spec: Spec): number => 14 + 4 * spec.tags
const transportOf = (spec: Spec): number =>
  networkOf(spec) + (spec.ipv6 ? 40 + 8 * spec.extensions : 20 + 4 * spec.ipv4Options)
const payloadOf = (spec: Spec): number => transportOf(spec) + (spec.tcp ? 20 + 4 * spec.tcpOptions : 8)

/** The super-frame of a spec; its checksum field holds garbage, as the finisher is not to ask it. */
function build(spec: Spec): { memory: FrameMemory; start: number; end: number } {
  const first = spec.offset + TAG_ROOM * (1 + spec.tags) + VIRTIO_HEADER_LEN
  const untagged = payloadOf(spec) - 4 * spec.tags
  const b = new Uint8Array(first + untagged + spec.payload)
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)
  const protocol = spec.tcp ? PROTOCOL_TCP : PROTOCOL_UDP
  let at = putEthernet(b, first, mac, mac, spec.ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4)
  const network = at
  const length = Math.min(0xffff, b.length - network)
  if (spec.ipv6) {
    const next = spec.extensions > 0 ? EXTENSION_HOP_BY_HOP : protocol
    const address = Uint8Array.from({ length: 16 }, (_, i) => i * 17)
    at = putIpv6(b, at, length - 40, next, address, address.toReversed())
    for (let i = 0; i < spec.extensions; i++) {
      b.set([i === spec.extensions - 1 ? protocol : EXTENSION_DESTINATION, 0, 1, 4], at)
      at += 8
    }
  } else {
    at = putIpv4(
      b,
      at,
      length,
      spec.identification,
      protocol,
      Uint8Array.of(192, 0, 2, 1),
      Uint8Array.of(192, 0, 2, 2),
    )
    b[network] = 0x45 + spec.ipv4Options
    b.fill(1, at, at + 4 * spec.ipv4Options)
    at += 4 * spec.ipv4Options
  }
  const transport = at
  if (spec.tcp) {
    at = putTcp(b, at, 1000, 2000, spec.sequence, 7, spec.tcpFlags)
    b[transport + 12] = (5 + spec.tcpOptions) << 4
    b.fill(1, at, at + 4 * spec.tcpOptions)
    at += 4 * spec.tcpOptions
    b.set([0xde, 0xad], transport + 16)
  } else {
    at = putUdp(b, at, 1000, 2000, length)
    b.set([0xde, 0xad], transport + 6)
  }
  for (let i = 0; i < spec.payload; i++) b[at + i] = (i * 31 + (i >> 7)) & 0xff
  const cwr = spec.tcp && (spec.tcpFlags & TCP_CWR) !== 0 ? GSO_ECN : 0
  const type = (spec.tcp ? (spec.ipv6 ? GSO_TCPV6 : GSO_TCPV4) : GSO_UDP_L4) | cwr
  if (spec.merged) putHeader(b, first, FLAG_DATA_VALID, type, 0, spec.size, 0, 0)
  else
    putHeader(
      b,
      first,
      FLAG_NEEDS_CHECKSUM,
      type,
      at - first,
      spec.size,
      transport - first,
      spec.tcp ? 16 : 6,
    )
  let start = first
  for (let i = 0; i < spec.tags; i++) start = insertTag(b, start, TPID_C_TAG, 100 + i)
  return { memory: new FrameMemory(b), start, end: b.length }
}

/** Words added up modulo 0xffff, odd octets padded: 0 when a checksum among them is right. */
function residue(...parts: Uint8Array[]): number {
  let total = 0
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) total += (part[i] ?? 0) * (i % 2 === 0 ? 256 : 1)
  }
  return total % 0xffff
}

/** Reads every frame anew with a DataView, knowing the spec but none of the product's decoders. */
function expectSegments(spec: Spec, source: Uint8Array, frames: Uint8Array[]): void {
  const network = networkOf(spec)
  const transport = transportOf(spec)
  const payload = payloadOf(spec)
  expect(frames.length).toBe(Math.max(1, Math.ceil(spec.payload / spec.size)))
  expect(Buffer.concat(frames.map((b) => b.subarray(payload))).equals(source.subarray(payload))).toBe(true)
  for (const [i, b] of frames.entries()) {
    const last = i === frames.length - 1
    const v = new DataView(b.buffer, b.byteOffset, b.length)
    expect(b.length).toBe(payload + (last ? spec.payload - i * spec.size : spec.size))
    const expected = source.slice(0, payload)
    const e = new DataView(expected.buffer)
    const ip = b.subarray(network)
    if (spec.ipv6) e.setUint16(network + 4, b.length - network - 40)
    else {
      e.setUint16(network + 2, b.length - network)
      e.setUint16(network + 4, (spec.identification + i) % 0x10000)
      e.setUint16(network + 10, v.getUint16(network + 10))
    }
    expect(spec.ipv6 ? 0 : residue(b.subarray(network, transport))).toBe(0)
    const checksum = transport + (spec.tcp ? 16 : 6)
    e.setUint16(checksum, v.getUint16(checksum))
    if (spec.tcp) {
      e.setUint32(transport + 4, (spec.sequence + i * spec.size) % 2 ** 32)
      let flags = spec.tcpFlags
      if (!last) flags &= ~(TCP_FIN | TCP_PSH)
      if (i > 0) flags &= ~TCP_CWR
      e.setUint8(transport + 13, flags)
    } else e.setUint16(transport + 4, b.length - transport)
    expect(spec.tcp || v.getUint16(checksum) !== 0).toBe(true)
    expect(hex(b.subarray(0, payload))).toBe(hex(expected))
    const addresses = spec.ipv6 ? ip.subarray(8, 40) : ip.subarray(12, 20)
    const length = b.length - transport
    const pseudo = Uint8Array.of(0, spec.tcp ? 6 : 17, length >> 8, length & 0xff)
    expect(residue(addresses, pseudo, b.subarray(transport))).toBe(0)
  }
}

/** Every frame lies in the scratch behind a plain virtio header and room for a tag, none over another. */
function expectRoom(f: Finisher): void {
  let free = 0
  let wrong = 0
  for (let i = 0; i < f.count; i++) {
    const start = f.starts[i] ?? 0
    if (start - VIRTIO_HEADER_LEN - TAG_ROOM < free || !isPlain(f.memory.bytes, start)) wrong++
    free = f.ends[i] ?? 0
    if (free <= start) wrong++
  }
  expect(wrong).toBe(0)
  expect(free).toBeLessThanOrEqual(f.memory.bytes.length)
}
