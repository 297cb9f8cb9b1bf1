import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { DROP_BAD_OFFLOAD, DROP_SHORT, PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink } from '#net/port/port.ts'
import { MAX_FRAME_PAYLOAD, putRecordHeader, RECORD_FRAME } from '#net/tunnel/framing.ts'

/** Keeps copies of what it is given, and where batches end. */
class Recorder implements FrameSink {
  readonly frames: Uint8Array[] = []
  batches = 0
  frame(memory: FrameMemory, start: number, end: number): void {
    this.frames.push(memory.bytes.slice(start, end))
  }
  batchEnd(): void {
    this.batches++
  }
  portState(): void {}
}

const record = (frame: Uint8Array, virtio = new Uint8Array(10)): Uint8Array => {
  const octets = new Uint8Array(14 + frame.length)
  putRecordHeader(octets, 0, RECORD_FRAME, 10 + frame.length)
  octets.set(virtio, 4)
  octets.set(frame, 14)
  return octets
}

describe('FrameAssembler', () => {
  it('gives back the frames of a stream, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 14, maxLength: 300 }), { maxLength: 30 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 500 })),
        (frames, cuts) => {
          const sink = new Recorder()
          const assembler = new FrameAssembler(new PortCounters(), sink)
          const stream = Buffer.concat(frames.map((frame) => record(frame)))
          for (let at = 0; at < stream.length;) {
            const next = Math.min(stream.length, at + (cuts.next().value ?? 1))
            assembler.append(stream, at, next)
            at = next
          }
          assembler.free()
          expect(sink.frames.map((f) => Buffer.from(f))).toEqual(frames.map((f) => Buffer.from(f)))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('takes the longest frames without end, in a memory that does not grow', () => {
    const sink = new Recorder()
    const counters = new PortCounters()
    const assembler = new FrameAssembler(counters, sink)
    const longest = record(new Uint8Array(MAX_FRAME_PAYLOAD - 10).fill(7))
    const cut = 30_000
    for (let i = 0; i < 40; i++) {
      assembler.append(longest, 0, cut)
      assembler.append(longest, cut, longest.length)
    }
    expect(sink.frames).toHaveLength(40)
    expect(new Set(sink.frames.map((f) => f.length))).toEqual(new Set([MAX_FRAME_PAYLOAD - 10]))
    expect(sink.frames.every((f) => f.every((octet) => octet === 7))).toBe(true)
    expect(counters.inOctets).toBe(40 * (MAX_FRAME_PAYLOAD - 10))
    assembler.free()
  })

  it('ends a batch once for all the frames of a chunk', () => {
    const sink = new Recorder()
    const assembler = new FrameAssembler(new PortCounters(), sink)
    const chunk = Buffer.concat([
      record(new Uint8Array(60)),
      record(new Uint8Array(60)),
      record(new Uint8Array(60)),
    ])
    assembler.append(chunk, 0, chunk.length - 1)
    expect([sink.frames.length, sink.batches]).toEqual([2, 1])
    assembler.append(chunk, chunk.length - 1, chunk.length)
    expect([sink.frames.length, sink.batches]).toEqual([3, 2])
    assembler.free()
  })

  it('counts frames that are too short and virtio headers that cannot be true, and goes on', () => {
    const sink = new Recorder()
    const counters = new PortCounters()
    const assembler = new FrameAssembler(counters, sink)
    const untrue = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 255, 16, 0) // a checksum field outside the frame
    for (const octets of [
      record(new Uint8Array(13)),
      record(new Uint8Array(60), untrue),
      record(new Uint8Array(60)),
    ])
      assembler.append(octets, 0, octets.length)
    expect(sink.frames).toHaveLength(1)
    expect([counters.inDrops[DROP_SHORT], counters.inDrops[DROP_BAD_OFFLOAD]]).toEqual([1, 1])
    assembler.free()
  })

  it('refuses a record of another type or length: the stream is broken', () => {
    for (const [type, length] of [
      [2, 60],
      [RECORD_FRAME, 10],
      [RECORD_FRAME, MAX_FRAME_PAYLOAD + 1],
    ] as const) {
      const assembler = new FrameAssembler(new PortCounters(), new Recorder())
      const header = new Uint8Array(4)
      putRecordHeader(header, 0, type, length)
      expect(() => assembler.append(header, 0, 4)).toThrow(ProtocolError)
      assembler.free()
    }
  })

  it('ends the batch of the frames before the place where a stream breaks', () => {
    const sink = new Recorder()
    const assembler = new FrameAssembler(new PortCounters(), sink)
    const broken = Buffer.concat([record(new Uint8Array(60)), Buffer.from([RECORD_FRAME, 0, 0, 0])])
    expect(() => assembler.append(broken, 0, broken.length)).toThrow(ProtocolError)
    expect([sink.frames.length, sink.batches]).toEqual([1, 1])
    assembler.free()
  })
})
