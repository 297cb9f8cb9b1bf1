import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DROP_DELAY, DROP_LINK_DOWN, DROP_QUEUE_FULL } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MAX_SUPER_FRAME } from '#net/port/port.ts'
import { Codel } from '#net/queue/codel.ts'
import { FairQueue, FLOWS } from '#net/queue/fair-queue.ts'
import { markCongestion } from '#net/wire/ecn.ts'
import { flowHash } from '#net/wire/flow-hash.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

const SEED = 5
const START = 32
const source = FrameMemory.native(START + MAX_SUPER_FRAME)

/** A frame under way: its octets with the virtio header. */
interface Entry {
  readonly flow: number
  readonly record: Buffer
  readonly length: number
  readonly time: number
}

interface Drop {
  readonly reason: number
  readonly record: Buffer
}

/** FQ-CoDel in plain arrays (RFC 8290 §4). What the queue is free to choose, it is told, and checks. */
class Model {
  all: Entry[] = []
  new: number[] = []
  old: number[] = []
  readonly deficits = new Map<number, number>()
  readonly codel = new Codel(FLOWS)
  readonly capacity: number
  limit: number
  quantum = 1514
  marked = 0

  constructor(capacity: number) {
    this.capacity = this.limit = capacity
  }

  get octets(): number {
    return backlog(this.all)
  }

  of(flow: number): Entry[] {
    return this.all.filter((entry) => entry.flow === flow)
  }

  /** @param dropped  what the queue dropped for this frame */
  enqueue(entry: Entry, dropped: Drop[]): void {
    const most = 0.75 * Math.min(this.capacity, Math.max(262_144, 4 * this.limit))
    const records = (): number => this.octets + 14 * this.all.length
    while (this.all.length > 0 && records() + entry.length + 14 > most) this.dropBatch(dropped)
    this.all.push(entry)
    const { flow } = entry
    if (!this.new.includes(flow) && !this.old.includes(flow)) {
      this.new.push(flow)
      this.deficits.set(flow, this.quantum)
    }
    while (this.octets > this.limit && this.all.length > 1) this.dropBatch(dropped)
    assert.deepEqual(dropped, [])
  }

  /** @returns what the queue must give next, and leaves in `dropped` what it must have dropped */
  dequeue(now: number, dropped: Drop[]): Entry | undefined {
    while (this.all.length > 0) {
      const list = this.new.length > 0 ? this.new : this.old
      const flow = list[0] ?? -1
      const deficit = this.deficits.get(flow) ?? 0
      if (deficit <= 0) {
        this.deficits.set(flow, deficit + this.quantum)
        list.shift()
        this.old.push(flow)
        continue
      }
      const entry = this.serve(flow, now, dropped)
      if (entry) {
        this.deficits.set(flow, deficit - entry.length)
        return entry
      }
      list.shift()
      if (list === this.new) this.old.push(flow)
    }
    this.new = []
    this.old = []
    return undefined
  }

  clear(dropped: readonly Drop[]): void {
    assert.equal(dropped.length, this.all.length)
    for (const { flow } of this.all) {
      const records = this.of(flow).map((entry) => entry.record)
      const places = records.map((record) => dropped.findIndex((drop) => drop.record.equals(record)))
      assert.notEqual(places[0], -1)
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      )
      this.codel.emptied(flow)
    }
    assert.ok(dropped.every(({ reason }) => reason === DROP_LINK_DOWN))
    this.all = []
    this.new = []
    this.old = []
  }

  private dropBatch(dropped: Drop[]): void {
    const victim = this.all.find(({ record }) => dropped[0]?.record.equals(record))
    assert.ok(victim, 'there is too much, and nothing more is dropped')
    const before = backlog(this.of(victim.flow))
    assert.equal(before, Math.max(...this.all.map(({ flow }) => backlog(this.of(flow)))))
    const rest = Math.max(before / 2, before - 64 * 1514)
    for (let i = 0; i < 64 && backlog(this.of(victim.flow)) > rest; i++) {
      this.drop(this.of(victim.flow)[0], dropped.shift())
    }
  }

  private serve(flow: number, now: number, dropped: Drop[]): Entry | undefined {
    for (const entry of this.of(flow)) {
      this.all = this.all.filter((other) => other !== entry)
      const isLate = now - entry.time >= 4 && backlog(this.of(flow)) > Math.max(entry.length, 1514)
      if (!this.codel.mustDrop(flow, isLate, now)) return entry
      if (markCongestion(entry.record, 10, entry.record.length)) {
        this.marked++
        return entry
      }
      dropped.push({ reason: DROP_DELAY, record: entry.record })
    }
    return undefined
  }

  private drop(entry: Entry | undefined, drop: Drop | undefined): void {
    assert.equal(drop?.reason, DROP_QUEUE_FULL)
    assert.deepEqual(drop.record, entry?.record)
    this.all = this.all.filter((other) => other !== entry)
    if (entry && this.of(entry.flow).length === 0) this.codel.emptied(entry.flow)
  }
}

const backlog = (entries: readonly Entry[]): number => entries.reduce((sum, { length }) => sum + length, 0)

const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name)
const frames = (lengths: fc.Arbitrary<number>, most: number) =>
  fc.record({
    kind: kind('in'),
    flow: fc.nat(4),
    length: lengths,
    count: fc.integer({ min: 1, max: most }),
    ecn: fc.constantFrom(0, 0, 1, 2, 3),
  })
const step = fc.oneof(
  { weight: 16, arbitrary: frames(fc.constantFrom(60, 700, 1514, 1514), 10) },
  { weight: 1, arbitrary: frames(fc.integer({ min: 10_000, max: MAX_SUPER_FRAME - 4 }), 3) },
  { weight: 16, arbitrary: fc.record({ kind: kind('out'), count: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 16,
    arbitrary: fc.record({ kind: kind('wait'), ms: fc.nat(240).map((n) => n / 8) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('limit'), octets: fc.integer({ min: 1000, max: 150_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('quantum'), octets: fc.integer({ min: 300, max: 9000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('drain') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('clear') }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Seen {
  dropped: number
  late: number
  sent: number
  marked: number
  wraps: number
}

/** Runs the steps on queue and model, comparing after each. */
function run(steps: readonly Step[], capacity: number, seen: Seen): void {
  let drops: Drop[] = []
  const queue = new FairQueue({
    capacity,
    seed: SEED,
    onDrop: (reason, memory, start, end) =>
      drops.push({ reason, record: Buffer.from(memory.bytes.subarray(start - 10, end)) }),
  })
  const model = new Model(capacity)
  queue.targetMs = 4
  queue.intervalMs = model.codel.intervalMs = 20
  let [now, id, lastStart] = [1, 0, 0]
  const enqueue = (flow: number, length: number, ecn: number): void => {
    id++
    const frame = flowFrame({ ports: flow, ecn, tags: flow === 1 ? '8100.5' : '' }, length, id)
    new DataView(frame.buffer).setUint32(frame.length - 4, id)
    source.bytes.fill(id, START - 10, START)
    source.bytes.set(frame, START)
    const end = START + frame.length
    queue.enqueue(source, START, end, now)
    const entry = {
      flow: flowHash(frame, 0, frame.length, SEED) & (FLOWS - 1),
      record: Buffer.from(source.bytes.subarray(START - 10, end)),
      length: frame.length,
      time: now,
    }
    seen.dropped += drops.length
    model.enqueue(entry, drops)
  }
  const dequeue = (): void => {
    const start = queue.dequeue(now)
    const expectedDrops: Drop[] = []
    const expected = model.dequeue(now, expectedDrops)
    expect(drops).toEqual(expectedDrops)
    seen.late += drops.length
    drops = []
    if (!expected) expect(start).toBe(-1)
    else {
      seen.sent++
      if (start < lastStart) seen.wraps++
      lastStart = start
      const record = queue.memory.bytes.subarray(start - 10, queue.end)
      expect(expected.record.equals(record)).toBe(true)
    }
  }
  for (const one of steps) {
    if (one.kind === 'in') for (let i = 0; i < one.count; i++) enqueue(one.flow, one.length, one.ecn)
    else if (one.kind === 'out') for (let i = 0; i < one.count; i++) dequeue()
    else if (one.kind === 'wait') now += one.ms
    else if (one.kind === 'limit') queue.limit = model.limit = one.octets
    else if (one.kind === 'drain') for (let i = queue.frames; i >= 0; i--) dequeue()
    else if (one.kind === 'quantum') queue.quantum = model.quantum = one.octets
    else {
      queue.clear(DROP_LINK_DOWN)
      model.clear(drops)
      drops = []
    }
    expect([queue.octets, queue.frames, queue.isEmpty, queue.marked]).toEqual([
      model.octets,
      model.all.length,
      model.all.length === 0,
      model.marked,
    ])
  }
  while (!queue.isEmpty) dequeue()
  seen.marked += queue.marked
  queue.free()
}

/** @returns how often everything happened */
function runs(capacity: number): Seen {
  const seen = { dropped: 0, late: 0, sent: 0, marked: 0, wraps: 0 }
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 200, size: 'max' }), (steps) =>
      run(steps, capacity, seen),
    ),
    { numRuns: 25 },
  )
  return seen
}

describe('FairQueue against a model in plain arrays', () => {
  it('gives, drops and marks the same frames', () => {
    const seen = runs(2 << 20)
    // All of it happened, many times.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10)
  })

  it('does so in little memory', () => {
    const seen = runs(150_000)
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10)
  })
})
