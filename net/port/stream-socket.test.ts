import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'
import { DROP_DELAY, DROP_LINK_DOWN, DROP_QUEUE_FULL, PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { StreamSocketPort } from '#net/port/stream-socket.ts'
import { DropReport } from '#net/port/tunnel/drops.ts'
import { controlRecord, RECORD_DROPS, RECORD_PING, RecordScanner } from '#net/tunnel/framing.ts'
import { frameRecord } from '#test/support/ssh-peer.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const thing of open.splice(0).reverse()) thing.close()
})

interface Joined {
  readonly port: StreamSocketPort
  readonly fd: number
  readonly peer: net.Socket
  readonly counters: PortCounters
  readonly received: Buffer[]
  readonly ends: string[]
}

async function joined(): Promise<Joined> {
  const directory = mkdtempSync(join(tmpdir(), 'hybridge-stream-'))
  const path = join(directory, 's')
  const taken: ((fd: number) => void)[] = []
  const connected = new Promise<number>((resolve) => taken.push(resolve))
  const listener: UnixListener = listenUnix(path, 0o600, (made) => taken[0]?.(made))
  const peer = net.connect(path)
  const received: Buffer[] = []
  const ends: string[] = []
  const counters = new PortCounters()
  const fd = await connected
  const port = new StreamSocketPort({
    name: 'tunnel:test',
    fd,
    superFrames: true,
    maxFrame: 9216,
    counters,
    sink: {
      frame: (memory, start, end) => received.push(Buffer.from(memory.bytes.slice(start, end))),
      batchEnd: () => {},
      portState: () => {},
    },
    onEnd: (why) => ends.push(why),
  })
  open.push({ close: () => rmSync(directory, { recursive: true }) }, listener, port, {
    close: () => peer.destroy(),
  })
  return { port, fd, peer, counters, received, ends }
}

/** A frame in native memory, its octets made from `seed`. */
function nativeFrame(memory: FrameMemory, at: number, length: number, seed: number): [number, number] {
  const start = at + 32
  memory.bytes.fill(0, at, start)
  for (let i = 0; i < length; i++) memory.bytes[start + i] = (seed + i) & 255
  return [start, start + length]
}

/** Frames that come out of a stream of records, without their virtio headers. */
function framesOf(stream: Buffer): Buffer[] {
  const octets: Buffer[] = []
  new RecordScanner({
    onFrames: (chunk, start, end) => octets.push(Buffer.from(chunk.slice(start, end))),
    onControl: () => {},
  }).scan(stream, 0, stream.length)
  const all = Buffer.concat(octets)
  const frames: Buffer[] = []
  for (let at = 0; at < all.length;) {
    const length = all.readUIntBE(at + 1, 3)
    frames.push(all.subarray(at + 14, at + 4 + length))
    at += 4 + length
  }
  return frames
}

describe('StreamSocketPort', () => {
  it('sends batches from where the frames lie, whole and in order', async () => {
    const { port, peer, counters } = await joined()
    const memory = FrameMemory.native(300 * 200)
    const lengths = Array.from({ length: 300 }, (_, i) => 14 + (i % 100))
    const got: Buffer[] = []
    peer.on('data', (chunk: Buffer) => got.push(chunk))
    lengths.forEach((length, i) => port.send(memory, ...nativeFrame(memory, i * 200, length, i)))
    port.flush()
    const total = lengths.reduce((sum, length) => sum + length + 14, 0)
    while (Buffer.concat(got).length < total) await once(peer, 'data')
    const frames = framesOf(Buffer.concat(got))
    expect(frames.map((f) => [f.length, f[0]])).toEqual(lengths.map((length, i) => [length, i & 255]))
    expect([counters.outFrames, counters.outOctets]).toEqual([300, total - 300 * 14])
    memory.free()
  })

  it('keeps records whole and counts every loss while the far side does not read', async () => {
    const { port, peer, counters } = await joined()
    peer.pause()
    const memory = FrameMemory.native(70_000)
    const sent = 200
    for (let i = 0; i < sent; i++) {
      port.send(memory, ...nativeFrame(memory, 0, 60_000 + i, i))
      port.flush()
    }
    const lost = counters.outDrops[DROP_QUEUE_FULL] ?? 0
    expect(lost).toBeGreaterThan(0)
    expect(counters.outFrames + lost).toBe(sent)
    const got: Buffer[] = []
    peer.on('data', (chunk: Buffer) => got.push(chunk))
    peer.resume()
    let octets = 0
    while (octets < counters.outOctets + counters.outFrames * 14) {
      await once(peer, 'data')
      octets = got.reduce((sum, chunk) => sum + chunk.length, 0)
    }
    const frames = framesOf(Buffer.concat(got))
    expect(frames).toHaveLength(counters.outFrames)
    for (const f of frames) {
      const seed = f.length - 60_000
      expect(f[0]).toBe(seed & 255)
      expect(f[f.length - 1]).toBe((seed + f.length - 1) & 255)
    }
    // And it goes on by reference afterwards.
    port.send(memory, ...nativeFrame(memory, 0, 100, 9))
    port.flush()
    const [last]: Buffer[] = await once(peer, 'data')
    expect(framesOf(last ?? Buffer.alloc(0)).map((f) => f.length)).toEqual([100])
    memory.free()
  })

  it('reads frames, and tells the end once', async () => {
    const { port, peer, received, ends, counters } = await joined()
    const frame = Buffer.alloc(14 + 60)
    frame.set([1, 0, 0, 70], 0)
    frame.fill(5, 14)
    peer.write(Buffer.concat([frame, frame]))
    peer.end()
    await expect.poll(() => ends).toEqual(['closed by the other side'])
    expect(received.map((f) => f.length)).toEqual([60, 60])
    expect(port.up).toBe(false)
    const memory = FrameMemory.native(200)
    port.send(memory, ...nativeFrame(memory, 0, 60, 1))
    port.flush()
    expect(counters.outDrops[DROP_LINK_DOWN]).toBe(1)
    memory.free()
  })

  it('ends on a broken stream', async () => {
    const { peer, ends } = await joined()
    peer.write(Buffer.from([9, 0, 0, 1, 0]))
    await expect.poll(() => ends).toEqual([expect.stringContaining('record of type 9')])
  })

  it('takes drops between frames, wherever the stream is cut', async () => {
    const { port, peer, received, ends, counters } = await joined()
    counters.outFrames = 1000
    counters.outOctets = 100_000
    const report = new DropReport()
    const records: Uint8Array[] = []
    for (let i = 0; i < 8; i++) {
      records.push(frameRecord(new Uint8Array(60 + i).fill(i)))
      report.add(i % 2 === 0 ? DROP_QUEUE_FULL : DROP_DELAY, i, 1000)
      records.push(report.take())
    }
    const stream = Buffer.concat(records)
    // Octet by octet, then in pieces.
    for (const size of [1, 7, 61, stream.length]) {
      for (let at = 0; at < stream.length; at += size) {
        peer.write(stream.subarray(at, at + size))
        await new Promise(setImmediate)
      }
    }
    await expect.poll(() => received.length).toBe(4 * 8)
    for (const [i, frame] of received.entries())
      expect(frame.equals(Buffer.alloc(60 + (i % 8), i % 8))).toBe(true)
    await expect.poll(() => counters.outOctets).toBe(100_000 - 4 * 8 * 1000)
    expect(counters.outFrames).toBe(1000 - 4 * 28)
    expect([counters.outDrops[DROP_QUEUE_FULL], counters.outDrops[DROP_DELAY]]).toEqual([4 * 12, 4 * 16])
    expect([ends, port.up]).toEqual([[], true])
  })

  it.each([
    [
      'drops that are nonsense',
      controlRecord(RECORD_DROPS, Buffer.from('{"frames":{"delay":-1},"octets":0}')),
    ],
    ['drops without an end', Uint8Array.from([RECORD_DROPS, 0xff, 0xff, 0xff])],
    ['a control record of an agent', controlRecord(RECORD_PING, new Uint8Array(8))],
  ])('ends, with what came before counted, on %s', async (_what, octets) => {
    const { port, peer, received, ends, counters } = await joined()
    counters.outFrames = 7
    peer.write(Buffer.concat([frameRecord(new Uint8Array(60)), octets, frameRecord(new Uint8Array(60))]))
    await expect.poll(() => ends.length).toBe(1)
    expect([received.length, counters.inFrames, counters.outFrames, port.up]).toEqual([1, 1, 7, false])
    peer.write(frameRecord(new Uint8Array(60)))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([received.length, ends.length]).toEqual([1, 1])
  })

  it('says why behind what waits, and closes when that is read', async () => {
    const { port, peer, counters } = await joined()
    peer.pause()
    const memory = FrameMemory.native(70_000)
    for (let i = 0; i < 100; i++) {
      port.send(memory, ...nativeFrame(memory, 0, 60_000, i))
      port.flush()
    }
    port.end('taken-over', 'somebody else')
    const got: Buffer[] = []
    peer.on('data', (chunk: Buffer) => got.push(chunk))
    peer.resume()
    await once(peer, 'end')
    const controls: string[] = []
    let octets = 0
    new RecordScanner({
      onFrames: (_chunk, start, end) => (octets += end - start),
      onControl: (type, payload) => controls.push(`${type} ${Buffer.from(payload).toString()}`),
    }).scan(Buffer.concat(got), 0, Buffer.concat(got).length)
    expect(octets).toBe(counters.outFrames * 60_014)
    expect(controls).toEqual(['5 {"code":"taken-over","message":"somebody else"}'])
    memory.free()
  })

  it('lets go at once of a far side that vanishes before it has read the last word', async () => {
    const { port, fd, peer } = await joined()
    peer.pause()
    const memory = FrameMemory.native(70_000)
    for (let i = 0; i < 100; i++) {
      port.send(memory, ...nativeFrame(memory, 0, 60_000, i))
      port.flush()
    }
    port.end('taken-over', 'somebody else')
    expect(existsSync(`/proc/self/fd/${fd}`)).toBe(true)
    peer.destroy()
    // Before the time that a far side has to read it.
    await expect.poll(() => existsSync(`/proc/self/fd/${fd}`), { timeout: 2000 }).toBe(false)
    memory.free()
  })

  it('says why before it is closed', async () => {
    const { port, peer } = await joined()
    port.end('taken-over', 'somebody else')
    const [chunk = Buffer.alloc(0)]: Buffer[] = await once(peer, 'data')
    expect(chunk[0]).toBe(5)
    expect(JSON.parse(chunk.subarray(4).toString())).toEqual({ code: 'taken-over', message: 'somebody else' })
  })
})
