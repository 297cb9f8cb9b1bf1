import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { TalkerWatches } from '#net/talkers/talker-watches.ts'
import { MemoryPort } from '#net/port/memory.ts'
import { Switch } from '#net/switch/switch.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const FRAME = Uint8Array.from([
  255,
  255,
  255,
  255,
  255,
  255,
  2,
  0,
  0,
  0,
  0,
  9,
  0x88,
  0xb5,
  ...Array(46).fill(0),
])

it('count while somebody asks, and end by themselves', () => {
  let now = 0
  const pass = (seconds: number): void => {
    now += seconds * 1000
    vi.advanceTimersByTime(seconds * 1000)
  }
  const lab = new Switch({ name: 'lab' })
  const entry = lab.addEntry()
  const port = new MemoryPort(entry.counters, entry)
  entry.connect(port)
  const watches = new TalkerWatches(() => now)
  port.inject(FRAME)
  expect(entry.observer).toBeNull()
  expect(watches.read(lab, 5)).toEqual([])
  port.inject(FRAME)
  pass(4)
  expect(watches.read(lab, 5)).toMatchObject([{ address: '02:00:00:00:00:09', port: 1, frames: 1 }])
  // One who asks more often does not shorten it for another.
  watches.read(lab, 1)
  pass(4)
  expect(entry.observer).not.toBeNull()
  pass(3)
  expect(entry.observer).toBeNull()
  expect(vi.getTimerCount()).toBe(0)
  expect(watches.read(lab, 5)).toEqual([])
  watches.close()
  expect([entry.observer, vi.getTimerCount()]).toEqual([null, 0])
  lab.close()
})
