/** Frames with any virtio header, as an agent or a gateway may send them, through the queue toward a slow path. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { FrameSink } from '#net/port/port.ts'
import { TunnelSender, type TunnelStream } from '#net/port/tunnel/sender.ts'
import { controlRecord, RECORD_FRAME } from '#net/tunnel/framing.ts'
import { Pace } from '#net/tunnel/pace.ts'
import { putU16 } from '#net/wire/octets.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

/** A path that has shown its end, at 10 Mbit/s: super-frames are cut. */
function slowPace(): Pace {
  const pace = new Pace(true)
  const reading = { flightOctets: 1e6, isHeld: true, isLate: false, roundTripMs: 30, leastRoundTripMs: 1 }
  for (let now = 0; now < 2000; now += 20) pace.read({ ...reading, ackedOctets: now * 1249 }, now)
  return pace
}

class Stream implements TunnelStream {
  readonly pace = slowPace()
  room = 0
  readonly chunks: Buffer[] = []
  get isFull(): boolean {
    return this.room <= 0
  }
  write(octets: Buffer): boolean {
    this.room -= octets.length
    this.chunks.push(Buffer.from(octets))
    return true
  }
  whenReleased(then: () => void): void {
    then()
  }
}

const sinkOf = (frame: TunnelSender['send']): FrameSink => ({
  frame,
  batchEnd: () => {},
  portState: () => {},
})

/** Headers that can be true of a TCP or UDP frame, with some fields changed. */
const record = fc
  .record({
    version: fc.constantFrom(4, 6),
    protocol: fc.constantFrom(6, 17),
    tags: fc.constantFrom('', '8100.5', '88a8.5 8100.6'),
    ports: fc.nat(3),
    length: fc.oneof(fc.integer({ min: 90, max: 2000 }), fc.integer({ min: 2000, max: 65_000 })),
    flags: fc.constantFrom(0, 1, 1, 1, 2, 3, 255),
    gsoType: fc.constantFrom(0, 1, 1, 4, 4, 5, 5, 0x81, 0x84, 3, 77),
    gsoSize: fc.oneof(fc.constant(1448), fc.nat(3000), fc.nat(0xffff)),
    shift: fc.constantFrom(0, 0, 0, -4, 4, 500),
    changes: fc.array(fc.tuple(fc.nat(70), fc.nat(255)), { maxLength: 2 }),
  })
  .map(({ version, protocol, tags, ports, length, changes, ...virtio }) => {
    const frame = flowFrame({ version, protocol, tags, ports }, length, 0x50)
    const transport = frame.length - length + (version === 4 ? 34 : 54)
    frame[transport + 12] = 0x50
    for (const [at, value] of changes) frame[at] = value
    const header = new Uint8Array(10)
    header[0] = virtio.flags
    header[1] = virtio.gsoType
    const put = (at: number, value: number): void => putU16(header, at, ((value & 255) << 8) | (value >> 8))
    put(2, transport + (protocol === 6 ? 20 : 8))
    put(4, virtio.gsoSize)
    put(6, transport + virtio.shift)
    put(8, protocol === 6 ? 16 : 6)
    return controlRecord(RECORD_FRAME, Uint8Array.from([...header, ...frame]))
  })

it(
  'every wire frame that comes in goes out or is counted as lost',
  () => {
    let cut = 0
    fc.assert(
      fc.property(fc.array(fc.tuple(record, fc.nat(30_000)), { maxLength: 12 }), (records) => {
        let [sent, sentOctets, lost, lostOctets] = [0, 0, 0, 0]
        /** Frames, a super-frame as one. */
        let [came, went] = [0, 0]
        const sender = new TunnelSender(
          {
            sent: (frames, octets) => {
              sent += frames
              sentOctets += octets
            },
            lost: (_reason, frames, octets) => {
              lost += frames
              lostOctets += octets
            },
          },
          9,
        )
        const stream = new Stream()
        sender.connect(stream)
        const taken = new PortCounters()
        const input = new FrameAssembler(
          taken,
          sinkOf((memory, start, end) => {
            came++
            sender.send(memory, start, end)
          }),
        )
        for (const [octets, room] of records) {
          input.append(octets, 0, octets.length)
          stream.room = room - 20_000
          sender.drained()
        }
        sender.disconnect()
        const arrived = new PortCounters()
        const output = new FrameAssembler(
          arrived,
          sinkOf(() => went++),
        )
        for (const chunk of stream.chunks) output.append(chunk, 0, chunk.length)
        if (went > came) cut++

        expect([sent + lost, sentOctets + lostOctets]).toEqual([taken.inFrames, taken.inOctets])
        expect([arrived.inFrames, arrived.inOctets]).toEqual([sent, sentOctets])
        expect(arrived.inDrops.every((count) => count === 0)).toBe(true)
        for (const one of [sender, input, output]) one.free()
      }),
      budget(),
    )
    expect(cut).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
