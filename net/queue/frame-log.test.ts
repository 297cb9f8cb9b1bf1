import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MAX_SUPER_FRAME } from '#net/port/port.ts'
import { FrameLog, LOG_SLOTS } from '#net/queue/frame-log.ts'

const ROOM = 14
const source = new FrameMemory(new Uint8Array(32 + MAX_SUPER_FRAME))

let open: FrameLog[] = []
function openLog(capacity: number): FrameLog {
  const log = new FrameLog(capacity)
  open.push(log)
  return log
}
afterEach(() => {
  for (const log of open) log.free()
  open = []
})

/** Appends a frame of `length` octets that, with its header, are all `octet`. */
function append(log: FrameLog, length: number, octet = 0): number {
  source.bytes.fill(octet, 22, 32 + length)
  return log.append(source, 32, 32 + length, octet, octet / 2)
}

describe('FrameLog', () => {
  it('has room up to three quarters of its bound, and for any frame that fits when it is empty', () => {
    const log = openLog(100_000)
    expect([log.hasRoom(100_000 - ROOM), log.hasRoom(100_001 - ROOM)]).toEqual([true, false])
    const slot = append(log, 50_000 - ROOM)
    expect([log.hasRoom(25_000 - ROOM), log.hasRoom(25_001 - ROOM)]).toEqual([true, false])
    log.bound = 80_000
    expect([log.hasRoom(10_000 - ROOM), log.hasRoom(10_001 - ROOM)]).toEqual([true, false])
    log.release(slot)
    expect([log.hasRoom(80_000 - ROOM), log.hasRoom(80_001 - ROOM)]).toEqual([true, false])
  })

  it('has room in three quarters of its slots', () => {
    const log = openLog(1 << 20)
    for (let i = 0; i < 0.75 * LOG_SLOTS; i++) {
      expect(log.hasRoom(20)).toBe(true)
      append(log, 20)
    }
    expect(log.hasRoom(20)).toBe(false)
    for (let slot = 100; slot < 200; slot++) log.release(slot)
    expect([log.hasRoom(20), log.isAtEnd(20)]).toEqual([true, false])
  })

  it('begins at the front again when it is empty', () => {
    const log = openLog(100_000)
    for (let i = 0; i < 100; i++) {
      const slots = [append(log, 30_000), append(log, 20_000)]
      expect(slots).toEqual([0, 1])
      expect(log.starts[0]).toBe(ROOM)
      for (const slot of slots) log.release(slot)
    }
  })

  it('must be compacted at its bound, or when all slots were used, and has room again then', () => {
    const log = openLog(100_000)
    append(log, 30_000, 1)
    append(log, 60_000, 2)
    log.release(0)
    expect([log.hasRoom(10_000), log.isAtEnd(10_000)]).toEqual([true, true])
    log.compact()
    expect([log.slots, log.starts[0], log.flows[0], log.times[0]]).toEqual([1, ROOM, 2, 1])
    expect(log.isAtEnd(10_000)).toBe(false)

    const many = openLog(1 << 20)
    append(many, 20, 1)
    for (let slot = 1; slot < LOG_SLOTS; slot++) {
      expect(many.isAtEnd(20)).toBe(false)
      many.release(append(many, 20))
    }
    expect(many.isAtEnd(20)).toBe(true)
    many.compact()
    expect([many.slots, many.isAtEnd(20)]).toEqual([1, false])
  })

  it('keeps frames whole and in order, in any order of release, within its bound', () => {
    const step = fc.record({
      length: fc.oneof(fc.nat(3000), fc.nat(MAX_SUPER_FRAME)),
      release: fc.nat(20),
      bound: fc.integer({ min: 100_000, max: 200_000 }),
    })
    let compacted = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const log = openLog(200_000)
        let held: { slot: number; length: number; octet: number }[] = []
        for (const [i, { length, release, bound }] of steps.entries()) {
          log.bound = bound
          while (!log.hasRoom(length)) log.release(held.shift()?.slot ?? -1)
          if (log.isAtEnd(length)) {
            log.compact()
            compacted++
            held = held.map((frame, slot) => ({ ...frame, slot }))
          }
          expect(log.isAtEnd(length)).toBe(false)
          const octet = i & 0xff
          const slot = append(log, length, octet)
          expect(log.ends[slot]).toBeLessThanOrEqual(bound)
          held.push({ slot, length, octet })
          const [gone] = release < held.length ? held.splice(release, 1) : []
          if (gone) log.release(gone.slot)
        }
        let behind = 0
        for (const { slot, length, octet } of held) {
          const [start = 0, end = 0] = [log.starts[slot], log.ends[slot]]
          expect([end - start, log.flows[slot], log.times[slot]]).toEqual([length, octet, octet / 2])
          expect(start - ROOM).toBeGreaterThanOrEqual(behind)
          expect(Buffer.alloc(length + 10, octet).equals(log.memory.bytes.subarray(start - 10, end))).toBe(
            true,
          )
          behind = end
        }
        log.free()
        open = []
      }),
    )
    expect(compacted).toBeGreaterThan(50)
  })
})
