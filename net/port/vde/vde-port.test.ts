import { existsSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import {
  DROP_LINK_DOWN,
  DROP_QUEUE_FULL,
  DROP_SHORT,
  DROP_TOO_BIG,
  PortCounters,
} from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import { ReceiveBatch } from '#net/port/message-batch.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { VdePort } from '#net/port/vde/vde-port.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { until } from '#test/support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'hybridge-vde-'))
const memory = FrameMemory.native(1 << 20)
const ports: VdePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
  for (const name of ['a', 'b']) if (existsSync(join(directory, name))) unlinkSync(join(directory, name))
})
process.once('exit', () => rmSync(directory, { recursive: true }))

interface Far {
  readonly port: VdePort
  readonly counters: PortCounters
  readonly received: Buffer[]
  /** Sizes of the batches that frames came in. */
  readonly batches: number[]
  readonly fd: number
}

function bound(name: string): number {
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  expect(libc.bind(fd, unixAddress(join(directory, name)), SOCKADDR_UN)).toBe(0)
  return fd
}

/** A port, and a socket that it is connected to, each way. */
function pair(): Far {
  const own = bound('a')
  const fd = bound('b')
  expect(libc.connect(own, unixAddress(join(directory, 'b')), SOCKADDR_UN)).toBe(0)
  expect(libc.connect(fd, unixAddress(join(directory, 'a')), SOCKADDR_UN)).toBe(0)
  const counters = new PortCounters()
  const received: Buffer[] = []
  const batches: number[] = []
  let before = 0
  const port = new VdePort({
    name: 'vde:test',
    fd: own,
    counters,
    sink: {
      frame: (from, start, end) => {
        // Plain, whatever was done to the slot's last frame.
        expect([...from.bytes.subarray(start - 10, start)]).toEqual(Array(10).fill(0))
        received.push(Buffer.from(from.bytes.slice(start, end)))
        from.bytes.fill(7, start - 14, end)
      },
      batchEnd: () => {
        batches.push(received.length - before)
        before = received.length
      },
      portState: () => {},
    },
  })
  ports.push(port)
  return { port, counters, received, batches, fd }
}

const say = (fd: number, octets: Uint8Array): number =>
  libc.sendBuffer(fd, octets, octets.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)

function hear(fd: number): Buffer | undefined {
  const octets = new Uint8Array(65_536)
  const count = libc.recvBuffer(fd, octets, octets.length, libc.MSG_DONTWAIT)
  return count < 0 ? undefined : Buffer.from(octets.subarray(0, count))
}

it('hands frames on in batches, and counts what is no frame', async () => {
  const { counters, received, batches, fd } = pair()
  const frames = [14, 60, 1514, 9234].map((length) => Buffer.alloc(length, length & 255))
  for (const octets of [...frames, Buffer.alloc(13), Buffer.alloc(0), Buffer.alloc(9235), ...frames])
    expect(say(fd, octets)).toBe(octets.length)
  await until('all frames', () => received.length === 8)
  expect(received).toEqual([...frames, ...frames])
  expect(batches).toEqual([8])
  expect(counters.read()).toMatchObject({ inFrames: 8, inOctets: 2 * (14 + 60 + 1514 + 9234) })
  expect([counters.inDrops[DROP_SHORT], counters.inDrops[DROP_TOO_BIG]]).toEqual([1, 1])
  libc.close(fd)
})

it('sends what is queued, from native memory or not, in order', () => {
  const { port, counters, fd } = pair()
  for (let i = 0; i < 100; i++) {
    memory.bytes.fill(i, i * 100, i * 100 + 60)
    port.send(memory, i * 100, i * 100 + 60)
  }
  port.send(new FrameMemory(new Uint8Array(80).fill(200)), 10, 70)
  port.send(memory, 0, 9235)
  port.flush()
  const heard = Array.from({ length: 101 }, () => hear(fd)?.[0])
  expect(heard).toEqual([...Array(100).keys(), 200])
  expect(hear(fd)).toBeUndefined()
  expect(counters.read()).toMatchObject({ outFrames: 101, outOctets: 6060, outDrops: { 'too-big': 1 } })
  libc.close(fd)
})

it('drops what a far side that does not read leaves no room for', () => {
  const { port, counters, fd } = pair()
  for (let i = 0; i < 20_000; i++) port.send(memory, 0, 1514)
  port.flush()
  const dropped = counters.outDrops[DROP_QUEUE_FULL] ?? 0
  expect(dropped).toBeGreaterThan(0)
  expect(counters.outFrames).toBeGreaterThan(0)
  expect(counters.outFrames + dropped).toBe(20_000)
  expect(port.up).toBe(true)
  while (hear(fd)) counters.outFrames--
  expect(counters.outFrames).toBe(0)
  libc.close(fd)
})

it('is down when the far socket is gone', () => {
  const { port, counters, fd } = pair()
  libc.close(fd)
  expect(port.up).toBe(true)
  port.send(memory, 0, 60)
  port.send(memory, 0, 60)
  port.flush()
  expect(port.up).toBe(false)
  port.send(memory, 0, 60)
  expect(counters.outDrops[DROP_LINK_DOWN]).toBe(3)
  expect(counters.outFrames).toBe(0)
})

/** Frames that are numbered, three of them in each of so many turns of the event loop. */
async function stream(fd: number, turns: number, from = 0): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < 3; i++) {
      const octets = Buffer.alloc(60)
      octets.writeUInt32BE(from + 3 * turn + i)
      expect(say(fd, octets)).toBe(60)
    }
    await new Promise(setImmediate)
  }
}

it('lets a stream gather while the event loop turns, and keeps its order', async () => {
  const { received, batches, fd } = pair()
  let sent = 0
  // What is sent in one turn is read in the next, unless it is let gather.
  while (sent < 60_000 && !batches.some((size) => size > 3)) {
    await stream(fd, 40, sent)
    sent += 120
  }
  expect(Math.max(...batches)).toBeGreaterThan(3)
  await until('all frames', () => received.length === sent)
  expect(received.map((octets) => octets.readUInt32BE())).toEqual([...Array(sent).keys()])
  libc.close(fd)
})

it('may be closed while its frames gather', async () => {
  for (let turns = 8; turns < 40; turns++) {
    const { port, received, fd } = pair()
    await stream(fd, turns)
    port.close()
    const before = received.length
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(received.length).toBe(before)
    libc.close(fd)
    for (const name of ['a', 'b']) unlinkSync(join(directory, name))
  }
})

it('allocates nothing for a frame that it sends', () => {
  const { port, fd } = pair()
  const batch = new ReceiveBatch(0)
  const frames = 64
  const step = (): void => {
    for (let i = 0; i < frames; i++) port.send(memory, i * 2000, i * 2000 + 1514)
    port.flush()
    for (let i = 0; i < frames; i += ReceiveBatch.SLOTS)
      libc.recvmmsg(fd, batch.prepare(), ReceiveBatch.SLOTS, libc.MSG_DONTWAIT, null)
  }
  // What system calls leave, for all frames together.
  expect(bytesPerCall(step, 1000, 5) / frames).toBeLessThan(8)
  libc.close(fd)
})
