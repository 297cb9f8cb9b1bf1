/** Any octets as a frame, for what looks into frames: nothing throws, nothing is changed that is not meant to be. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { ConnectionMatcher } from '#net/port/nic/connection-matcher.ts'
import { packetFilter } from '#net/port/nic/packet-filter.ts'
import { FairQueue } from '#net/queue/fair-queue.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { markCongestion } from '#net/wire/ecn.ts'
import { flowHash } from '#net/wire/flow-hash.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { runBpf } from '#test/support/bpf.ts'
import { flowFrame } from '#test/support/flow-frames.ts'
import { packet } from '#test/support/tunnel-packets.ts'

const TAGS = [
  '',
  '8100.5',
  '88a8.5 8100.6',
  '9100.1 9200.2 8100.3 8100.4',
  '8100.1 8100.2 8100.3 8100.4 8100.5',
]

/** A frame of an IP flow with some octets of its headers changed, cut anywhere; or anything. */
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc
    .record({
      version: fc.constantFrom(4, 6),
      tags: fc.constantFrom(...TAGS),
      ecn: fc.nat(3),
      fragment: fc.constantFrom(0, 0, 0x2000, 0x00b9),
      extension: fc.constantFrom(undefined, undefined, 0, 43, 44, 60),
      changes: fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 4 }),
      cut: fc.oneof(fc.constant(0), fc.nat(100)),
    })
    .map(({ changes, cut, extension, ...flow }) => {
      const octets = flowFrame({ ...flow, ...(extension === undefined ? {} : { extension }) }, 100, 0x3c)
      for (const [at, value] of changes) octets[at % octets.length] = value
      return octets.subarray(0, octets.length - Math.min(cut, octets.length))
    }),
)

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

it(
  'flows are told apart, and congestion is marked, within the frame',
  () => {
    fc.assert(
      fc.property(frame, fc.nat(20), fc.integer(), (octets, headroom, seed) => {
        const around = new Uint8Array(headroom + octets.length + 40).fill(0x11)
        around.set(octets, headroom)
        const end = headroom + octets.length
        const hash = flowHash(around, headroom, end, seed)
        expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 31).toBe(true)
        // Of what lies behind the frame nothing counts.
        expect(flowHash(octets, 0, octets.length, seed)).toBe(hash)

        const before = hex(around)
        const isMarked = markCongestion(around, headroom, end)
        const changed = [...around.keys()].filter((at) => around[at] !== (octets[at - headroom] ?? 0x11))
        expect(markCongestion(around, headroom, end)).toBe(isMarked)
        expect(hex(around) === before || isMarked).toBe(true)
        // The type of service and the checksum of IPv4; in IPv6 the octet behind the first.
        const [first = 0] = changed
        expect(
          changed.every((at) => at >= headroom + 15 && at < end && [0, 9, 10].includes(at - first)),
        ).toBe(true)
        expect(flowHash(around, headroom, end, seed)).toBe(hash)
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)

const START = 64
const step = fc.oneof(
  fc.record({ frame, header: fc.uint8Array({ minLength: 10, maxLength: 10 }) }),
  fc.record({ filler: fc.integer({ min: 0, max: 70_000 }) }),
  fc.record({ dequeues: fc.nat(5) }),
  fc.record({ ms: fc.nat(300) }),
  fc.record({ limit: fc.nat(200_000) }),
)

it(
  'a fair queue gives every frame once, or drops it, whatever its octets are',
  () => {
    const memory = FrameMemory.native(START + 70_000)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let dropped = 0
        let droppedOctets = 0
        const queue = new FairQueue({
          capacity: 150_000,
          seed: 3,
          onDrop: (_reason, _memory, start, end) => {
            dropped++
            droppedOctets += end - start
          },
        })
        let [put, putOctets, got, gotOctets, now] = [0, 0, 0, 0, 0]
        const dequeue = (): boolean => {
          const start = queue.dequeue(now)
          if (start < 0) return false
          got++
          gotOctets += queue.end - start
          return true
        }
        const enqueue = (length: number): void => {
          queue.enqueue(memory, START, START + length, now)
          put++
          putOctets += length
        }
        for (const one of steps) {
          if ('frame' in one) {
            memory.bytes.set(one.header, START - 10)
            memory.bytes.set(one.frame, START)
            enqueue(one.frame.length)
          } else if ('filler' in one) enqueue(one.filler)
          else if ('ms' in one) now += one.ms
          else if ('limit' in one) queue.limit = one.limit
          else for (let i = 0; i < one.dequeues; i++) dequeue()
          expect(queue.frames).toBe(put - got - dropped)
          expect(queue.octets).toBe(putOctets - gotOctets - droppedOctets)
          expect(
            queue.frames <= 1 || queue.octets <= queue.limit || !('frame' in one) || one.frame.length === 0,
          ).toBe(true)
        }
        while (dequeue()) now++
        expect([queue.isEmpty, queue.octets, got + dropped]).toEqual([true, 0, put])
        queue.free()
      }),
      budget(),
    )
    memory.free()
  },
  TIMEOUT_MS,
)

const CONNECTIONS = [
  { own: addressOctets('10.98.0.1'), hub: addressOctets('10.98.0.2'), port: 2222 },
  { own: addressOctets('fd00::1'), hub: addressOctets('fd00::2'), port: 22 },
]
const TO_OTHERS = 3

/** Packets of the tunnel with some octets changed, behind tags, and anything. */
const nearly = fc.oneof(
  frame,
  fc
    .record({
      six: fc.boolean(),
      tags: fc.array(
        fc.constantFrom([0x8100, 10] as const, [0x88a8, 0xe064] as const, [0x9100, 1] as const),
        { maxLength: 5 },
      ),
      options: fc.nat(10),
      changes: fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { maxLength: 5 }),
      cut: fc.oneof(fc.constant(0), fc.nat(150)),
    })
    .map(({ six, tags, options, changes, cut }) => {
      const [from, to, toPort] = six ? ['fd00::1', 'fd00::2', 22] : ['10.98.0.1', '10.98.0.2', 2222]
      const octets = packet({ from, fromPort: 40_000, to, toPort, tags, ...(six ? {} : { options }) })
      for (const [at, value] of changes) octets[at % octets.length] = value
      return octets.subarray(0, Math.max(0, octets.length - cut))
    }),
)

it(
  'the filter in the kernel and the matcher keep out the same frames',
  () => {
    const program = packetFilter(CONNECTIONS)
    const matcher = new ConnectionMatcher()
    matcher.connections = CONNECTIONS
    let kept = 0
    fc.assert(
      fc.property(nearly, fc.nat(9), (octets, headroom) => {
        const whole = octets.length < 14 ? Buffer.concat([octets, Buffer.alloc(14)]) : octets
        const around = Buffer.concat([Buffer.alloc(headroom, 0xff), whole, Buffer.alloc(70, 0x06)])
        const isOurs = matcher.matches(around, headroom, headroom + whole.length)
        if (isOurs) kept++
        expect([hex(whole), isOurs]).toEqual([hex(whole), !runBpf(program, whole, TO_OTHERS)])
      }),
      budget(),
    )
    expect(kept).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
