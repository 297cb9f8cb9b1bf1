import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DROP_LINK_DOWN, DROP_QUEUE_FULL, PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { Pace } from '#net/tunnel/pace.ts'
import { TunnelSender, type TunnelStream } from '#net/port/tunnel/sender.ts'
import { FLAG_NEEDS_CHECKSUM, GSO_TCPV4, putHeader } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const START = 64

/** Takes `room` octets, then is full. */
class Stream implements TunnelStream {
  readonly pace: Pace
  room = 0
  keeps = false
  readonly chunks: Buffer[] = []
  constructor(pace: Pace) {
    this.pace = pace
  }
  get isFull(): boolean {
    return this.room <= 0
  }
  write(octets: Buffer): boolean {
    this.room -= octets.length
    this.chunks.push(Buffer.from(octets))
    return !this.keeps
  }
  whenReleased(then: () => void): void {
    then()
  }
}

/** A path of 10 Mbit/s. */
function slowPace(): Pace {
  const pace = new Pace(true)
  const reading = {
    ackedOctets: 0,
    flightOctets: 1e6,
    isHeld: true,
    isLate: false,
    roundTripMs: 30,
    leastRoundTripMs: 1,
  }
  for (let now = 0; now < 2000; now += 20) pace.read({ ...reading, ackedOctets: now * 1250 }, now)
  return pace
}

function open(pace = slowPace()): {
  sender: TunnelSender
  stream: Stream
  lost: PortCounters
  sent: () => { frames: number; octets: number }
} {
  const lost = new PortCounters()
  const sent = { frames: 0, octets: 0 }
  const account = {
    sent: (frames: number, octets: number): void => {
      sent.frames += frames
      sent.octets += octets
    },
    lost: (reason: number, frames: number): void => lost.dropOut(reason, frames),
  }
  const sender = new TunnelSender(account, 7)
  const stream = new Stream(pace)
  sender.connect(stream)
  return { sender, stream, lost, sent: () => sent }
}

/** An IPv4 UDP frame of a flow, its number in the last octets. */
function put(memory: FrameMemory, length: number, flow: number, number: number): void {
  const b = memory.bytes
  b.fill(0, 0, START + length)
  b.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, length - 14], START)
  b.set([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, flow >> 8, flow & 255, 0, 53], START + 22)
  new DataView(b.buffer, b.byteOffset).setUint32(START + length - 4, number)
}

/** Frames of the records, as `[length, number]`. */
function framesOf(chunks: readonly Buffer[]): [number, number][] {
  const frames: [number, number][] = []
  const assembler = new FrameAssembler(new PortCounters(), {
    frame: (memory, start, end) =>
      frames.push([end - start, Buffer.from(memory.bytes.subarray(end - 4, end)).readUInt32BE()]),
    batchEnd: () => {},
    portState: () => {},
  })
  for (const chunk of chunks) assembler.append(chunk, 0, chunk.length)
  assembler.free()
  return frames
}

const total = (counters: PortCounters): number => counters.outDrops.reduce((sum, one) => sum + one, 0)

describe('TunnelSender on a slow path', () => {
  it('gives the stream little at a time, and lets a quiet flow go before what waits of a busy one', () => {
    const { sender, stream } = open()
    const memory = FrameMemory.native(2048)
    stream.room = 1
    for (let i = 0; i < 20; i++) {
      put(memory, 1000, 1, i)
      sender.send(memory, START, START + 1000)
    }
    put(memory, 98, 2, 99)
    sender.send(memory, START, START + 98)
    sender.write()
    expect(stream.chunks).toHaveLength(1)
    expect(stream.chunks[0]?.length).toBeLessThanOrEqual(stream.pace.piece + 1014)
    stream.room = 1
    sender.drained()
    const numbers = framesOf(stream.chunks).map(([, number]) => number)
    expect(numbers.slice(0, 3)).toEqual([0, 1, 2])
    expect(numbers.indexOf(99)).toBeLessThan(6)
    expect(numbers.filter((n) => n !== 99)).toEqual(numbers.filter((n) => n !== 99).toSorted((a, b) => a - b))
    sender.free()
    memory.free()
  })

  it('bounds what waits by the rate, at the cost of the flow that fills it', () => {
    const { sender, stream, lost } = open()
    const memory = FrameMemory.native(2048)
    for (let i = 0; i < 1000; i++) {
      put(memory, 1000, 1, i)
      sender.send(memory, START, START + 1000)
    }
    put(memory, 98, 2, 2000)
    sender.send(memory, START, START + 98)
    const most = Math.ceil(stream.pace.queueLimit / 1000)
    expect(lost.outDrops[DROP_QUEUE_FULL]).toBeGreaterThanOrEqual(1000 - most - 1)
    stream.room = 1e6
    sender.drained()
    expect(framesOf(stream.chunks).some(([, number]) => number === 2000)).toBe(true)
    sender.free()
    memory.free()
  })

  it('cuts a super-frame that would hold the path for long, and passes it whole when it would not', () => {
    const memory = FrameMemory.native(65_536)
    const payload = 20 * 1448
    const end = START + 54 + payload
    const b = memory.bytes
    b.set(
      [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, (40 + payload) >> 8, (40 + payload) & 255],
      START,
    )
    b.set([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], START + 22)
    b.set([0x50, 0x10], START + 46)
    putHeader(b, START, FLAG_NEEDS_CHECKSUM, GSO_TCPV4, 54, 1448, 34, 16)
    const { sender, stream, sent } = open()
    stream.room = 1e6
    sender.send(memory, START, START + 54 + 1448) // fills what goes at once
    stream.room = 0
    sender.send(memory, START, end)
    stream.room = 1e6
    sender.drained()
    expect(
      framesOf(stream.chunks)
        .slice(1)
        .map(([length]) => length),
    ).toEqual(Array(20).fill(54 + 1448))
    expect(sent().frames).toBe(21)

    const fast = new Pace(true)
    fast.read(
      { ackedOctets: 0, flightOctets: 0, isHeld: false, isLate: false, roundTripMs: 1, leastRoundTripMs: 1 },
      0,
    )
    fast.read(
      {
        ackedOctets: 40_000 * 20,
        flightOctets: 0,
        isHeld: false,
        isLate: false,
        roundTripMs: 1,
        leastRoundTripMs: 1,
      },
      20,
    )
    expect(fast.isFast).toBe(false)
    const other = open(fast)
    other.sender.send(memory, START, end)
    other.stream.room = 1e6
    other.sender.drained()
    expect(framesOf(other.stream.chunks).map(([length]) => length)).toEqual([54 + payload])
    for (const one of [sender, other.sender, memory]) one.free()
  })

  it('sends or reports every frame exactly once, whatever stream and path do', () => {
    const memory = FrameMemory.native(65_536)
    const slow = slowPace()
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('send' as const),
        length: fc.integer({ min: 60, max: 9000 }),
        flow: fc.nat(5),
      }),
      fc.record({ kind: fc.constant('room' as const), octets: fc.nat(30_000), keeps: fc.boolean() }),
      fc.record({
        kind: fc.constantFrom('write' as const, 'fast' as const, 'slow' as const, 'lose' as const),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { sender, stream, lost, sent } = open(slow)
        let number = 0
        for (const one of steps) {
          if (one.kind === 'send') {
            put(memory, one.length, one.flow, number++)
            sender.send(memory, START, START + one.length)
          } else if (one.kind === 'room') {
            stream.room = one.octets
            stream.keeps = one.keeps
            sender.drained()
          } else if (one.kind === 'write') sender.write()
          else if (one.kind === 'lose') {
            sender.disconnect()
            sender.connect(stream)
          } else slow.isFast = one.kind === 'fast'
        }
        sender.disconnect()
        const arrived = framesOf(stream.chunks)
        expect(arrived.length).toBe(sent().frames)
        expect(arrived.reduce((sum, [length]) => sum + length, 0)).toBe(sent().octets)
        expect(new Set(arrived.map(([, n]) => n)).size).toBe(arrived.length)
        expect(arrived.length + total(lost)).toBe(number)
        expect(sender.isEmpty).toBe(true)
        sender.free()
      }),
    )
    memory.free()
  })

  it('counts what waited when the stream goes, and everything after', () => {
    const { sender, lost, sent } = open()
    const memory = FrameMemory.native(2048)
    put(memory, 1000, 1, 0)
    for (let i = 0; i < 10; i++) sender.send(memory, START, START + 1000)
    sender.disconnect()
    sender.send(memory, START, START + 1000)
    expect([lost.outDrops[DROP_LINK_DOWN], sent().frames, sent().octets]).toEqual([11, 0, 0])
    sender.free()
    memory.free()
  })

  it.each([60, 1514, 60_000])('allocates nothing for a frame of %i octets', (length) => {
    const { sender, stream } = open()
    const memory = FrameMemory.native(65_536)
    put(memory, length, 1, 0)
    stream.room = 0
    expect(bytesPerCall(() => sender.send(memory, START, START + length), 10_000)).toBeLessThan(8)
    sender.free()
    memory.free()
  })
})
