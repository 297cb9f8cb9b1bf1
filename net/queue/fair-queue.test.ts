import assert from 'node:assert/strict'
import { afterEach, describe, expect, it } from 'vitest'
import { DROP_DELAY, DROP_LINK_DOWN, DROP_QUEUE_FULL, DROP_SHORT, DROP_TOO_BIG } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MAX_SUPER_FRAME } from '#net/port/port.ts'
import { FairQueue } from '#net/queue/fair-queue.ts'
import { u16 } from '#net/wire/octets.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

const CAPACITY = 2 << 20
const START = 32
const source = FrameMemory.native(START + MAX_SUPER_FRAME + 1)

interface Drop {
  readonly reason: number
  readonly port: number
  readonly length: number
}

/** Flow of a frame that `put` made. */
const portOf = (memory: FrameMemory, start: number): number => u16(memory.bytes, start + 36)

/** Puts a UDP frame to a port, the flow's number, in `source`. @returns its end */
function put(port: number, length: number, ecn = 0): number {
  source.bytes.set(flowFrame({ ports: port, ecn }, length), START)
  return START + length
}

let open: FairQueue[] = []
function openQueue(capacity = CAPACITY): { queue: FairQueue; drops: Drop[] } {
  const drops: Drop[] = []
  const queue = new FairQueue({
    capacity,
    seed: 1,
    onDrop: (reason, memory, start, end) =>
      drops.push({ reason, port: portOf(memory, start), length: end - start }),
  })
  open.push(queue)
  return { queue, drops }
}
afterEach(() => {
  for (const queue of open) queue.free()
  open = []
})

/** Takes all frames. @returns their flows */
function drain(queue: FairQueue, now = 0): number[] {
  const ports: number[] = []
  for (let start = queue.dequeue(now); start >= 0; start = queue.dequeue(now))
    ports.push(portOf(queue.memory, start))
  return ports
}

/** Frames of `length` octets every `everyMs`, of one flow or, each, of another one from `port` on. */
interface Source {
  readonly port: number
  readonly length: number
  readonly everyMs: number
  readonly scatters?: boolean
  readonly ecn?: number
}

interface Sent {
  frames: number
  octets: number
  worstWait: number
  /** Longest time without a frame. */
  worstPause: number
  last: number
}

/** Sends frames of `sources` through the queue over a link, in virtual time. @returns what arrived, by source */
function simulate(queue: FairQueue, sources: readonly Source[], rateMbps: number, untilMs: number): Sent[] {
  const sent = sources.map(() => ({ frames: 0, octets: 0, worstWait: 0, worstPause: 0, last: 0 }))
  const due = sources.map((_, i) => i * 0.01)
  const made = sources.map(() => 0)
  const frames = sources.map(({ port, length, ecn }) => flowFrame({ ports: port, ecn: ecn ?? 0 }, length))
  // Behind the ports: who sent it, and when.
  const into = new DataView(source.bytes.buffer, source.bytes.byteOffset + START)
  const from = new DataView(queue.memory.bytes.buffer, queue.memory.bytes.byteOffset)
  let linkFree = 0
  for (;;) {
    const next = due.indexOf(Math.min(...due))
    const now = due[next] ?? 0
    while (!queue.isEmpty && linkFree <= now) {
      const start = queue.dequeue(linkFree)
      if (start < 0) break
      const length = queue.end - start
      const to = sent[from.getUint8(start + 42)] ?? assert.fail('a frame of nobody')
      to.frames++
      to.octets += length
      to.worstWait = Math.max(to.worstWait, linkFree - from.getFloat64(start + 43))
      to.worstPause = Math.max(to.worstPause, linkFree - to.last)
      to.last = linkFree
      linkFree += (length * 8) / (rateMbps * 1000)
    }
    if (now > untilMs) return sent
    const one = sources[next] ?? assert.fail()
    const number = made[next] ?? 0
    source.bytes.set(frames[next] ?? [], START)
    if (one.scatters) into.setUint16(36, one.port + (number % 60_000))
    into.setUint8(42, next)
    into.setFloat64(43, now)
    linkFree = queue.isEmpty ? Math.max(linkFree, now) : linkFree
    queue.enqueue(source, START, START + one.length, now)
    assert.ok(queue.octets <= queue.limit || queue.frames === 1, `${queue.octets} octets wait`)
    made[next] = number + 1
    due[next] = now + one.everyMs
  }
}

const FRAME_MS = (1514 * 8) / 10_000
const PING: Source = { port: 9, length: 98, everyMs: 100 }
const bulk = (port: number, mbps: number, length = 1514): Source => ({
  port,
  length,
  everyMs: (length * 8) / (mbps * 1000),
})

/** R. Jain's index: 1 when all have the same, 1/n when one has all. */
const fairness = (shares: readonly number[]): number =>
  shares.reduce((sum, share) => sum + share, 0) ** 2 /
  (shares.length * shares.reduce((sum, share) => sum + share ** 2, 0))

describe('FairQueue: who is served', () => {
  it('gives 8 flows the same share, whatever they send and in frames of whatever length', () => {
    const { queue } = openQueue()
    queue.limit = 62_500
    const lengths = [1514, 700, 1514, 300, 1514, 1000, 1514, 98]
    const flows = lengths.map((length, i) => bulk(20 + i, 2 + i, length))
    const sent = simulate(queue, flows, 10, 5000)
    expect(fairness(sent.map(({ octets }) => octets))).toBeGreaterThan(0.99)
    const total = sent.reduce((sum, { octets }) => sum + octets, 0)
    expect((total * 8) / 5_000_000).toBeGreaterThan(9.9)
  })

  it('gives a flow of super-frames no larger share', () => {
    const { queue } = openQueue()
    queue.limit = 500_000
    const flows = [bulk(20, 200, 65_000), bulk(21, 200), bulk(22, 200, 9000), bulk(23, 200, 30_000)]
    const sent = simulate(queue, flows, 100, 3000)
    expect(fairness(sent.map(({ octets }) => octets))).toBeGreaterThan(0.99)
  })

  it('lets the others send as much before a flow has its next super-frame', () => {
    const { queue } = openQueue()
    for (let i = 0; i < 2; i++) queue.enqueue(source, START, put(1, 60_560), 0)
    for (let i = 0; i < 90; i++) queue.enqueue(source, START, put(2, 1514), 0)
    const order = drain(queue)
    // One quantum of credit each at the start; 40 quanta are 60 560 octets.
    expect(order.indexOf(1)).toBe(0)
    expect(order.lastIndexOf(1)).toBe(41)
  })

  it('lets a quiet flow wait for one frame at most, beside a bulk flow', () => {
    const { queue, drops } = openQueue()
    const [, ping] = simulate(queue, [bulk(20, 40), PING], 10, 10_000)
    expect(ping?.frames).toBe(100)
    expect(ping?.worstWait).toBeLessThanOrEqual(FRAME_MS)
    expect(drops.every(({ port }) => port === 20)).toBe(true)
  })

  it('keeps a flood that does not yield within the limit, and a quiet flow unharmed', () => {
    const { queue, drops } = openQueue()
    queue.limit = 62_500
    const [flood, ping] = simulate(queue, [bulk(20, 20), PING], 10, 10_000)
    expect(ping?.frames).toBe(100)
    expect(ping?.worstWait).toBeLessThanOrEqual(FRAME_MS)
    expect(flood?.worstWait).toBeLessThan(50 + FRAME_MS)
    expect((flood?.octets ?? 0) * 8).toBeGreaterThan(9.8 * 10_000_000)
    expect(new Set(drops.map(({ reason }) => reason))).toEqual(new Set([DROP_QUEUE_FULL, DROP_DELAY]))
  })

  it('stands a storm of a thousand times the rate while the link takes a frame now and then', () => {
    const { queue, drops } = openQueue()
    queue.limit = 62_500
    const [storm, ping] = simulate(queue, [bulk(20, 2000), PING], 1, 500)
    expect(ping?.frames).toBe(5)
    expect(ping?.worstWait).toBeLessThanOrEqual(10 * FRAME_MS)
    expect(storm?.frames).toBeGreaterThan(35)
    expect(drops.every(({ port }) => port === 20)).toBe(true)
  })

  it('stands a flood of frames that are each another flow: nobody starves', () => {
    const { queue } = openQueue()
    queue.limit = 62_500
    const flood = { ...bulk(1000, 20), scatters: true }
    const [scattered, steady, ping] = simulate(queue, [flood, bulk(20, 1), PING], 10, 20_000)
    // 1024 flows share 826 frames a second; the quiet one meets frames of the flood in its queue.
    expect(scattered?.frames).toBeGreaterThan(16_000)
    expect(steady?.frames).toBeGreaterThan(16)
    expect(ping?.frames).toBeGreaterThan(100)
    for (const one of [steady, ping]) expect(one?.worstPause).toBeLessThan(1500)
  })
})

/** A flow that has frames waiting for 200 ms all the time; one leaves each ms. @returns when one is dropped */
function standing(ecn: number): { at: number[]; queue: FairQueue; marks: number[] } {
  const { queue, drops } = openQueue()
  const at: number[] = []
  const marks: number[] = []
  const end = put(1, 1000, ecn)
  for (let now = 1; now <= 200; now++) queue.enqueue(source, START, end, now)
  for (let now = 201; now <= 700; now++) {
    queue.enqueue(source, START, end, now)
    queue.enqueue(source, START, end, now)
    drops.length = 0
    const start = queue.dequeue(now)
    for (const { reason } of drops) {
      assert.equal(reason, DROP_DELAY)
      at.push(now)
    }
    if (ecn !== 0 && (u16(queue.memory.bytes, start + 14) & 3) === 3) marks.push(now)
  }
  return { at, queue, marks }
}

describe('FairQueue: CoDel', () => {
  // 201 + 100, + 100, + 100 / sqrt 2 = 471.71, + 100 / sqrt 3 = 529.45, + 50 = 579.45, + 44.72 = 624.17,
  // + 40.82 = 664.99
  const SCHEDULE = [301, 401, 472, 530, 580, 625, 665]

  it('drops frames that waited too long, on the schedule of RFC 8289', () => {
    const { at, queue } = standing(0)
    expect(at).toEqual(SCHEDULE)
    expect(queue.marked).toBe(0)
  })

  it('marks those whose endpoints understand it, and drops none of them', () => {
    for (const ecn of [1, 2]) {
      const { at, queue, marks } = standing(ecn)
      expect([at, marks, queue.marked]).toEqual([[], SCHEDULE, SCHEDULE.length])
    }
  })

  it('has target and interval set', () => {
    const { queue, drops } = openQueue()
    queue.targetMs = 20
    queue.intervalMs = 50
    const end = put(1, 1000)
    for (let i = 0; i < 200; i++) queue.enqueue(source, START, end, 0)
    queue.dequeue(19)
    queue.dequeue(20)
    queue.dequeue(69.5)
    expect(drops).toEqual([])
    queue.dequeue(70)
    expect(drops).toEqual([{ reason: DROP_DELAY, port: 1, length: 1000 }])
  })
})

describe('FairQueue: bounds', () => {
  it('drops half of the fattest flow, oldest first, beyond the limit', () => {
    const { queue, drops } = openQueue()
    queue.limit = 10_000
    for (let i = 0; i < 6; i++) queue.enqueue(source, START, put(1, 1005 - i), 0)
    for (let i = 0; i < 3; i++) queue.enqueue(source, START, put(2, 1300), 0)
    expect(drops).toEqual([])
    queue.enqueue(source, START, put(3, 60), 0)
    expect([queue.octets, queue.frames]).toEqual([9975, 10])
    queue.enqueue(source, START, put(4, 60), 0)
    expect(drops).toEqual([1005, 1004, 1003].map((length) => ({ reason: DROP_QUEUE_FULL, port: 1, length })))
    expect([queue.octets, queue.frames]).toEqual([10_035 - 3012, 8])
  })

  it('drops 64 frames at most at once', () => {
    const { queue, drops } = openQueue()
    queue.limit = 20_000
    for (let i = 0; i < 200; i++) queue.enqueue(source, START, put(1, 100), 0)
    expect(drops).toHaveLength(0)
    queue.enqueue(source, START, put(1, 100), 0)
    expect(drops).toHaveLength(64)
  })

  it('drops no more octets at once than 64 full frames have, and the rest of a super-frame', () => {
    const { queue, drops } = openQueue()
    queue.limit = 1_000_000
    for (let i = 0; i < 16; i++) queue.enqueue(source, START, put(1, 65_000), 0)
    expect(drops).toHaveLength(2)
  })

  it('takes a frame beyond the limit when nothing else waits', () => {
    const { queue, drops } = openQueue()
    queue.limit = 10_000
    queue.enqueue(source, START, put(1, MAX_SUPER_FRAME), 0)
    expect([drops, queue.octets]).toEqual([[], MAX_SUPER_FRAME])
    queue.enqueue(source, START, put(2, 60), 0)
    expect(drops).toEqual([{ reason: DROP_QUEUE_FULL, port: 1, length: MAX_SUPER_FRAME }])
    expect(drain(queue)).toEqual([2])
  })

  it('has a lower limit hold from the next frame on', () => {
    const { queue, drops } = openQueue()
    for (let i = 0; i < 100; i++) queue.enqueue(source, START, put(1, 1000), 0)
    queue.limit = 5000
    expect(queue.octets).toBe(100_000)
    queue.enqueue(source, START, put(2, 60), 0)
    expect(queue.octets).toBeLessThanOrEqual(5000)
    expect(drops.length + queue.frames).toBe(101)
  })

  it('does with what memory and slots it has when the limit asks for more', () => {
    const { queue, drops } = openQueue(128 << 10)
    queue.limit = Infinity
    for (let i = 0; i < 500; i++) queue.enqueue(source, START, put(i % 5, 1514), 0)
    expect(queue.octets).toBeGreaterThan(70_000)
    for (let i = 0; i < 3; i++) queue.enqueue(source, START, put(7, MAX_SUPER_FRAME), 0)
    expect(drops.every(({ reason }) => reason === DROP_QUEUE_FULL)).toBe(true)
    expect(drops.length + drain(queue).length).toBe(503)

    const many = openQueue()
    many.queue.limit = Infinity
    for (let i = 0; i < 20_000; i++) many.queue.enqueue(source, START, put(i % 5, 60), 0)
    expect(many.queue.frames).toBeGreaterThan(5000)
    expect(many.drops.length + drain(many.queue).length).toBe(20_000)
  })

  it('uses no more memory than a small limit needs', () => {
    const { queue } = openQueue()
    queue.limit = 20_000
    let highest = 0
    queue.enqueue(source, START, put(9, 1000), 0)
    for (let i = 0; i < 5000; i++) {
      queue.enqueue(source, START, put(i % 9, 1514), i)
      if (i % 2 === 0 && queue.dequeue(i) >= 0) highest = Math.max(highest, queue.end)
    }
    expect(highest).toBeGreaterThan(200_000)
    expect(highest).toBeLessThanOrEqual(256 << 10)
  })

  it('refuses a frame longer than any, or of nothing; one cut short is a frame like others', () => {
    const { queue, drops } = openQueue()
    queue.enqueue(source, START, put(1, MAX_SUPER_FRAME + 1), 0)
    queue.enqueue(source, START, START, 0)
    expect(drops).toEqual([
      { reason: DROP_TOO_BIG, port: 1, length: MAX_SUPER_FRAME + 1 },
      { reason: DROP_SHORT, port: 1, length: 0 },
    ])
    for (const length of [1, 13, 14, 33]) queue.enqueue(source, START, START + length, 0)
    const lengths: number[] = []
    for (let start = queue.dequeue(0); start >= 0; start = queue.dequeue(0)) lengths.push(queue.end - start)
    expect(lengths.toSorted((a, b) => a - b)).toEqual([1, 13, 14, 33])
  })

  it('is cleared with a drop for each frame, and works on', () => {
    const { queue, drops } = openQueue()
    for (let i = 0; i < 50; i++) queue.enqueue(source, START, put(i % 7, 100 + i), 0)
    queue.dequeue(1)
    queue.clear(DROP_LINK_DOWN)
    expect(drops).toHaveLength(49)
    expect(drops.every(({ reason }) => reason === DROP_LINK_DOWN)).toBe(true)
    expect([queue.octets, queue.frames, queue.isEmpty, queue.dequeue(2)]).toEqual([0, 0, true, -1])
    queue.enqueue(source, START, put(3, 500), 3)
    expect(drain(queue, 4)).toEqual([3])
  })

  it('refuses a memory that holds no super-frame, and a quantum or limit that is none', () => {
    expect(() => new FairQueue({ capacity: 100_000, seed: 1, onDrop: () => {} })).toThrow(RangeError)
    const { queue } = openQueue()
    for (const octets of [0, -1, Number.NaN, Infinity])
      expect(() => (queue.quantum = octets)).toThrow(RangeError)
    expect(queue.quantum).toBe(1514)
    expect(() => (queue.limit = Number.NaN)).toThrow(RangeError)
    expect(queue.limit).toBe(CAPACITY)
  })
})

describe('FairQueue: allocation', () => {
  const lengths = [60, 1514, 65_000]

  it.each(lengths)('is none for a frame of %d octets that passes', (length) => {
    const { queue } = openQueue()
    queue.limit = 300_000
    const end = put(1, length)
    let i = 0
    const call = (): void => {
      source.bytes[START + 37] = i++ & 31
      queue.enqueue(source, START, end, 1.5)
      queue.dequeue(1.5)
    }
    expect(bytesPerCall(call, length > 10_000 ? 20_000 : 100_000)).toBeLessThan(8)
  })

  const cases = lengths.flatMap((length) => [0, 1].map((ecn) => ({ length, ecn })))
  it.each(cases)(
    'is none for a frame of $length octets that waits, or is dropped, or marked (ECN $ecn)',
    ({ length, ecn }) => {
      let drops = 0
      const queue = new FairQueue({ capacity: CAPACITY, seed: 1, onDrop: () => drops++ })
      open.push(queue)
      queue.limit = 300_000
      const end = put(1, length, ecn)
      let now = 0
      const call = (): void => {
        now += 7
        for (let i = 0; i < 5; i++) queue.enqueue(source, START, end, now)
        for (let i = 0; i < 4; i++) queue.dequeue(now)
      }
      expect(bytesPerCall(call, 10_000)).toBeLessThan(8)
      expect(drops + queue.marked).toBeGreaterThan(1000)
    },
  )
})
