import { describe, expect, it } from 'vitest'
import { DROP_LINK_DOWN, DROP_QUEUE_FULL, PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink } from '#net/port/port.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { Pace } from '#net/tunnel/pace.ts'
import type { TunnelStream } from '#net/port/tunnel/sender.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const SINK: FrameSink = { frame: () => {}, batchEnd: () => {}, portState: () => {} }
const PEER = { superFrames: true, largestFrame: 9216 }

class Stream implements TunnelStream {
  readonly pace: Pace
  isFull = false
  keeps = false
  readonly writes: Buffer[] = []
  constructor(isControlled: boolean) {
    this.pace = new Pace(isControlled)
  }
  write(octets: Buffer): boolean {
    this.writes.push(this.keeps ? octets : Buffer.from(octets))
    return !this.keeps
  }
  whenReleased(then: () => void): void {
    then()
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function frame(length: number, octet: number): { memory: FrameMemory; start: number; end: number } {
  const bytes = new Uint8Array(32 + length)
  bytes.fill(octet, 32)
  return { memory: new FrameMemory(bytes), start: 32, end: 32 + length }
}

function open(): { port: TunnelPort; stream: Stream; counters: PortCounters } {
  const counters = new PortCounters()
  const port = new TunnelPort({ name: 'tunnel:test', counters, sink: SINK, seed: 1 })
  const stream = new Stream(false)
  port.connect(stream, PEER)
  return { port, stream, counters }
}

describe('TunnelPort', () => {
  it('writes all frames of a turn of the event loop at once, in order, as records', async () => {
    const { port, stream, counters } = open()
    for (const [length, octet] of [
      [60, 1],
      [1514, 2],
    ] as const) {
      const f = frame(length, octet)
      port.send(f.memory, f.start, f.end)
      port.flush()
    }
    await turn()
    expect(stream.writes).toHaveLength(1)
    const [written = Buffer.alloc(0)] = stream.writes
    expect(written.length).toBe(14 + 60 + 14 + 1514)
    expect([...written.subarray(0, 4)]).toEqual([1, 0, 0, 70])
    expect([...written.subarray(74, 78)]).toEqual([1, 0, 5, 0xf4])
    expect(written.subarray(14, 74).every((octet) => octet === 1)).toBe(true)
    expect(written.subarray(88).every((octet) => octet === 2)).toBe(true)
    expect([counters.outFrames, counters.outOctets]).toEqual([2, 1574])
    port.close()
  })

  it('loses and counts frames beyond its queue while the stream is full, and goes on when it is drained', async () => {
    const { port, stream, counters } = open()
    stream.isFull = true
    const f = frame(60_000, 3)
    for (let i = 0; i < 30; i++) port.send(f.memory, f.start, f.end)
    port.flush()
    await turn()
    expect(stream.writes).toHaveLength(0)
    const lost = counters.outDrops[DROP_QUEUE_FULL] ?? 0
    expect(lost).toBe(30 - Math.floor((1 << 20) / 60_014))
    expect(counters.outFrames).toBe(30 - lost)
    stream.isFull = false
    port.drained()
    // In pieces of whole records, so that control records can go between them.
    expect(Buffer.concat(stream.writes).length).toBe((30 - lost) * 60_014)
    expect(stream.writes.every((w) => w.length % 60_014 === 0)).toBe(true)
    expect(stream.writes.length).toBeGreaterThan(5)
    port.close()
  })

  it('leaves a buffer alone that the stream keeps', async () => {
    const { port, stream } = open()
    stream.keeps = true
    const first = frame(300, 4)
    port.send(first.memory, first.start, first.end)
    port.drained()
    stream.keeps = false
    const second = frame(300, 5)
    port.send(second.memory, second.start, second.end)
    port.flush()
    await turn()
    expect(stream.writes.map((w) => w[20])).toEqual([4, 5])
    port.drained()
    port.close()
  })

  it('counts link-down without a stream, and what waited when it is disconnected', async () => {
    const { port, stream, counters } = open()
    const f = frame(60, 6)
    port.send(f.memory, f.start, f.end)
    port.flush()
    port.disconnect('lost')
    port.send(f.memory, f.start, f.end)
    await turn()
    expect(stream.writes).toHaveLength(0)
    expect(counters.outDrops[DROP_LINK_DOWN]).toBe(2)
    expect([counters.outFrames, counters.outOctets]).toEqual([0, 0])
    port.close()
  })

  it.each([60, 1514, 60_000])('allocates nothing for a frame of %i octets', (length) => {
    const { port, stream } = open()
    const memory = FrameMemory.native(65_536)
    stream.isFull = true
    expect(bytesPerCall(() => port.send(memory, 32, 32 + length), 10_000)).toBeLessThan(8)
    memory.free()
    port.close()
  })
})
