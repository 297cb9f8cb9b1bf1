import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Downlink } from '#hub/gateway/downlink.ts'
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { TunnelConnection } from '#net/port/tunnel/connection.ts'
import { countDrops } from '#net/port/tunnel/drops.ts'
import {
  controlRecord,
  RECORD_BYE,
  RECORD_HEADER_LEN,
  RECORD_PING,
  RecordScanner,
} from '#net/tunnel/framing.ts'
import { flowFrame } from '#test/support/flow-frames.ts'
import { frameRecord } from '#test/support/ssh-peer.ts'
import { QuietConnection, WindowChannel } from '#test/support/window-channel.ts'

/** Any type that a frame record does not have. */
const MARK = 9
const VIRTIO = 10

class Fabric {
  isPaused = false
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
}

/** A gateway's way to an agent, as a tunnel makes use of it. */
class Way {
  readonly channel = new WindowChannel()
  readonly connection = new QuietConnection()
  readonly path = new TunnelConnection(this.connection, true)
  readonly fabric = new Fabric()
  readonly lost = new PortCounters()
  readonly controls: string[] = []
  readonly downlink: Downlink
  #marks = 0
  #wanted = 0

  constructor() {
    this.downlink = new Downlink({
      channel: this.channel,
      path: this.path,
      fabric: this.fabric,
      seed: 1,
      onControl: (type, payload) => this.controls.push(`${type} ${Buffer.from(payload).toString()}`),
      onBoundary: () => this.#write(),
      onLost: () => {},
    })
    // What the fabric's port has counted as sent.
    this.lost.outFrames = this.lost.outOctets = 1e9
  }

  /** Writes a control record now, or when the frame under way is whole. */
  control(): void {
    this.#wanted++
    if (this.downlink.isBetweenRecords) this.#write()
    else this.downlink.interrupt()
  }

  #write(): void {
    for (; this.#marks < this.#wanted; this.#marks++)
      this.downlink.writeControl(controlRecord(MARK, Buffer.from(String(this.#marks))))
  }

  get marks(): readonly string[] {
    return Array.from({ length: this.#wanted }, (_, i) => `${MARK} ${i}`)
  }

  /** The agent answers the newest PING that it has got, `ms` later. */
  pong(ms: number): void {
    const time = this.received().pings.at(-1)
    if (time !== undefined) this.downlink.answered(time, time + ms)
  }

  /** Lets everything through. */
  async open(): Promise<void> {
    this.path.pace.isFast = true
    this.channel.open(1e9)
    for (let i = 0; i < 20; i++) await turn()
  }

  takeLosses(): void {
    const { losses } = this.downlink
    if (!losses.isEmpty) countDrops(losses.take().subarray(RECORD_HEADER_LEN), this.lost)
  }

  get lostFrames(): number {
    return this.lost.outDrops.reduce((sum, count) => sum + count, 0)
  }

  /** Records that the agent has got. */
  received(): { frames: Buffer[]; marks: string[]; pings: number[] } {
    const frames: Buffer[] = []
    const marks: string[] = []
    const pings: number[] = []
    let octets: Buffer[] = []
    const whole = (): void => {
      const all = Buffer.concat(octets)
      octets = []
      for (let at = 0; at < all.length;) {
        const end = at + RECORD_HEADER_LEN + all.readUIntBE(at + 1, 3)
        if (end > all.length) throw new Error('a control record in the middle of a frame')
        frames.push(all.subarray(at + RECORD_HEADER_LEN + VIRTIO, end))
        at = end
      }
    }
    const scanner = new RecordScanner({
      onFrames: (chunk, start, end) => octets.push(Buffer.from(chunk.slice(start, end))),
      onControl: (type, payload) => {
        whole()
        if (type === RECORD_PING) pings.push(Buffer.from(payload).readDoubleBE(0))
        else marks.push(`${type} ${Buffer.from(payload).toString()}`)
      },
    })
    const all = Buffer.concat(this.channel.sent)
    scanner.scan(all, 0, all.length)
    if (scanner.leftInFrame === 0) whole()
    return { frames, marks, pings }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A frame of a flow that has its number at its end. */
function numbered(flow: number, number: number, length: number): Uint8Array {
  const frame = flowFrame({ ports: flow }, length, number)
  new DataView(frame.buffer).setUint32(frame.length - 4, number)
  return frame
}
const numberOf = (frame: Buffer): number => frame.readUInt32BE(frame.length - 4)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('octets' as const), count: fc.nat(4000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('octets' as const), count: fc.nat(6) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('window' as const), count: fc.nat(4000) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'turn' as const, count: 0 }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fast' as const), count: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'control' as const, count: 0 }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pong' as const), count: fc.nat(1000) }) },
)
const frame = fc.record({
  flow: fc.nat(3),
  length: fc.oneof(fc.integer({ min: 60, max: 90 }), fc.integer({ min: 60, max: 3000 })),
  /** A control record of the fabric's follows. */
  isMarked: fc.boolean(),
})

afterEach(() => {
  vi.restoreAllMocks()
})

describe('Downlink', () => {
  it(
    'delivers or reports every frame once, in order, whole, whatever comes between',
    { timeout: 30_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(frame, { minLength: 1, maxLength: 40 }),
          fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }),
          async (frames, steps) => {
            const way = new Way()
            const { pace } = way.path
            const controls: string[] = []
            const stream = Buffer.concat(
              frames.flatMap(({ flow, length, isMarked }, i) => {
                if (isMarked) controls.push(`${RECORD_BYE} ${i}`)
                return [
                  frameRecord(numbered(flow, i, length)),
                  ...(isMarked ? [controlRecord(RECORD_BYE, Buffer.from(String(i)))] : []),
                ]
              }),
            )
            let at = 0
            const feed = (count: number): void => {
              if (way.fabric.isPaused || count === 0) return
              way.downlink.receive(stream.subarray(at, Math.min(stream.length, at + count)))
              at = Math.min(stream.length, at + count)
            }
            for (const { kind, count } of steps) {
              if (kind === 'octets') feed(count)
              else if (kind === 'window') way.channel.open(count)
              else if (kind === 'turn') await turn()
              else if (kind === 'fast') pace.isFast = count === 1
              else if (kind === 'pong') way.pong(count)
              else way.control()
            }
            await way.open()
            feed(stream.length)
            await way.open()
            way.takeLosses()

            const { frames: got, marks } = way.received()
            expect(marks).toEqual(way.marks)
            expect(way.controls).toEqual(controls)
            const numbers = got.map(numberOf)
            expect(new Set(numbers).size).toBe(numbers.length)
            for (const [i, one] of got.entries()) {
              const { flow, length } = frames[numbers[i] ?? -1] ?? { flow: -1, length: 0 }
              expect(one.equals(numbered(flow, numbers[i] ?? -1, length))).toBe(true)
            }
            for (let flow = 0; flow <= 3; flow++) {
              const own = numbers.filter((number) => frames[number]?.flow === flow)
              expect(own).toEqual(own.toSorted((a, b) => a - b))
            }
            expect(got.length + way.lostFrames).toBe(frames.length)
            way.downlink.close()
          },
        ),
        { numRuns: 300 },
      )
    },
  )

  it('leaves little unread at an agent that reads late, and goes on when it has read', async () => {
    let now = 1000
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const way = new Way()
    way.channel.open(1e9)
    let number = 0
    /** Frames that came through, of those that there were. */
    const flood = async (frames: number): Promise<number> => {
      now += 20
      for (let i = 0; i < frames; i++) way.downlink.receive(frameRecord(numbered(0, number++, 1500)))
      await turn()
      return way.received().frames.length
    }
    expect(await flood(100)).toBe(100)
    way.downlink.answered(0, 1) // a keepalive
    way.pong(1000)
    const since = await flood(100)
    expect(since).toBeLessThan(110)
    expect(await flood(100)).toBe(since)
    way.pong(0)
    const then = await flood(0)
    expect(then).toBeGreaterThan(since)
    expect(then).toBeLessThan(since + 60)
    for (let i = 0; i < 40; i++) {
      way.pong(0)
      await turn()
    }
    way.takeLosses()
    expect([way.received().frames.length, way.lostFrames]).toEqual([number, 0])
    way.downlink.close()
  })

  it('leaves alone what the channel still keeps when it is closed', async () => {
    const way = new Way()
    way.channel.open(1000)
    const frames = Array.from({ length: 60 }, (_, i) => numbered(0, i, 1500))
    way.downlink.receive(Buffer.concat(frames.map(frameRecord)))
    way.downlink.close()
    // Another tunnel's, in the place of what was given back.
    const others = Array.from({ length: 3 }, () => FrameMemory.native(2 << 20))
    for (const memory of others) memory.bytes.fill(0xee)
    way.channel.end()
    await way.open()
    const { frames: got } = way.received()
    expect(got.length).toBeGreaterThan(0)
    for (const [i, one] of got.entries()) expect(one.equals(frames[i] ?? one.subarray(1))).toBe(true)
    way.takeLosses()
    expect(got.length + way.lostFrames).toBe(frames.length)
    for (const memory of others) memory.free()
  })

  it('reads no more for an agent that takes nothing, however large a window it gives', async () => {
    const way = new Way()
    const { socket, pace } = way.path
    pace.isFast = true
    way.channel.open(1e9)
    way.downlink.receive(frameRecord(numbered(0, 0, 1500)))
    await turn()
    expect(way.fabric.isPaused).toBe(false)
    way.connection.stuck = true
    socket.write(Buffer.alloc(100_000)) // as ssh2 does with what is written to the channel
    way.downlink.receive(frameRecord(numbered(0, 1, 1500)))
    await turn()
    expect(way.fabric.isPaused).toBe(true)
    way.connection.stuck = false
    await turn()
    expect(way.fabric.isPaused).toBe(false)
    way.downlink.close()
  })

  it('reads no more while an agent leaves an exchange of keys unfinished', async () => {
    const way = new Way()
    way.path.pace.isFast = true
    way.channel.open(1e9)
    way.channel.exchangeKeys(64)
    way.downlink.receive(frameRecord(numbered(0, 0, 1500)))
    await turn()
    expect(way.fabric.isPaused).toBe(true)
    way.channel.exchangeKeys(undefined)
    await vi.waitFor(() => expect(way.fabric.isPaused).toBe(false))
    way.downlink.close()
  })
})
