import { describe, expect, it } from 'vitest'
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { MOST_STREAMS, PortBundle } from '#net/port/tunnel/bundle.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

const FLOWS = 1000
const START = 32

/** A stream that remembers whose frames it has got. */
class Stream implements Port {
  readonly name = 'tunnel:test'
  readonly counters = new PortCounters()
  readonly superFrames = true
  readonly maxFrame = 9216
  up = true
  isClosed = false
  sent = 0
  flushes = 0
  send(): void {
    this.sent++
  }
  flush(): void {
    this.flushes++
  }
  close(): void {
    this.isClosed = true
  }
}

const SINK: FrameSink = { frame: () => {}, batchEnd: () => {}, portState: () => {} }
const frames = Array.from({ length: FLOWS }, (_, ports) => {
  const octets = flowFrame({ ports })
  const bytes = new Uint8Array(START + octets.length)
  bytes.set(octets, START)
  return new FrameMemory(bytes)
})

function bundleOf(count: number, seed = 7): { bundle: PortBundle<Stream>; streams: Stream[] } {
  const streams = Array.from({ length: count }, () => new Stream())
  const [first = new Stream(), ...others] = streams
  const bundle = new PortBundle({ first, sink: SINK, seed })
  for (const stream of others) bundle.add(stream)
  return { bundle, streams }
}

/** The stream that each flow goes through. */
function streamsOfFlows(bundle: PortBundle<Stream>): (Stream | undefined)[] {
  return frames.map((memory) => {
    const before = bundle.streams.map(({ sent }) => sent)
    bundle.send(memory, START, memory.bytes.length)
    return bundle.streams.find(({ sent }, i) => sent !== before[i])
  })
}

describe('PortBundle', () => {
  it('is its only stream, until there are more', () => {
    const { bundle, streams } = bundleOf(1)
    expect(new Set(streamsOfFlows(bundle))).toEqual(new Set(streams))
    bundle.flush()
    expect(streams[0]?.flushes).toBe(1)
  })

  it('keeps a flow on one stream, and gives each about as many', () => {
    const { bundle, streams } = bundleOf(4)
    const chosen = streamsOfFlows(bundle)
    expect(streamsOfFlows(bundle)).toEqual(chosen)
    for (const stream of streams) {
      const share = chosen.filter((one) => one === stream).length / FLOWS
      expect(share).toBeGreaterThan(0.2)
      expect(share).toBeLessThan(0.3)
    }
  })

  it('moves flows to one that comes, and none between the others', () => {
    const { bundle } = bundleOf(3)
    const before = streamsOfFlows(bundle)
    const fourth = new Stream()
    bundle.add(fourth)
    const after = streamsOfFlows(bundle)
    const moved = after.filter((stream, i) => stream !== before[i])
    expect(new Set(moved)).toEqual(new Set([fourth]))
    expect(moved.length / FLOWS).toBeCloseTo(0.25, 1)
  })

  it('moves the flows of one that goes, and no others', () => {
    const { bundle, streams } = bundleOf(4)
    const before = streamsOfFlows(bundle)
    const [, second = new Stream()] = streams
    bundle.remove(second)
    const after = streamsOfFlows(bundle)
    expect(after.filter((stream, i) => before[i] !== second && stream !== before[i])).toEqual([])
    expect(after).not.toContain(second)
    expect(second.isClosed).toBe(false)
  })

  it('tells flows otherwise with another seed', () => {
    const [one, other] = [bundleOf(4, 1), bundleOf(4, 2)]
    const [these, those] = [one, other].map(({ bundle, streams }) =>
      streamsOfFlows(bundle).map((stream) => (stream === undefined ? -1 : streams.indexOf(stream))),
    )
    expect(these).not.toEqual(those)
  })

  it('is up with its first stream, which cannot be taken away', () => {
    const { bundle, streams } = bundleOf(2)
    const [first = new Stream(), second = new Stream()] = streams
    second.up = false
    expect(bundle.up).toBe(true)
    first.up = false
    expect(bundle.up).toBe(false)
    bundle.remove(first)
    expect(bundle.streams).toEqual(streams)
  })

  it('hands on the frames of further streams, and not that they are up or down', () => {
    const told: string[] = []
    const sink: FrameSink = {
      frame: (_memory, start, end) => told.push(`frame ${end - start}`),
      batchEnd: () => told.push('end'),
      portState: () => told.push('state'),
    }
    const bundle = new PortBundle({ first: new Stream(), sink, seed: 1 })
    bundle.sink.portState(true, 'connected')
    bundle.sink.frame(new FrameMemory(new Uint8Array(100)), 20, 80)
    bundle.sink.batchEnd()
    expect(told).toEqual(['frame 60', 'end'])
  })

  it('flushes and closes all', () => {
    const { bundle, streams } = bundleOf(3)
    bundle.flush()
    expect(streams.map(({ flushes }) => flushes)).toEqual([1, 1, 1])
    bundle.close()
    expect(streams.every(({ isClosed }) => isClosed)).toBe(true)
  })

  it('is bounded', () => {
    const { bundle } = bundleOf(MOST_STREAMS)
    expect(() => bundle.add(new Stream())).toThrow(RangeError)
  })

  it('allocates nothing for a frame', () => {
    const { bundle } = bundleOf(4)
    const [memory = new FrameMemory(new Uint8Array(0))] = frames
    expect(bytesPerCall(() => bundle.send(memory, START, memory.bytes.length))).toBeLessThan(1)
  })
})
