import { afterEach, describe, expect, it } from 'vitest'
import { type CableEnd, layCable } from '#net/port/cable.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { type InjectedHeader, MemoryPort } from '#net/port/memory.ts'
import { Switch, type SwitchPort } from '#net/switch/switch.ts'

const FRAME = Uint8Array.from({ length: 60 }, (_, i) => (i < 6 ? 0xff : i < 12 ? 0x02 : i))
const laid: CableEnd[] = []
afterEach(() => {
  for (const end of laid.splice(0)) end.close()
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function cable(a: Switch, b: Switch): [SwitchPort, SwitchPort] {
  const entries: [SwitchPort, SwitchPort] = [a.addEntry(), b.addEntry()]
  const ends = layCable([b.name, a.name], ...entries)
  laid.push(...ends)
  entries[0].connect(ends[0])
  entries[1].connect(ends[1])
  return entries
}

function host(on: Switch): MemoryPort {
  const entry = on.addEntry()
  const port = new MemoryPort(entry.counters, entry)
  entry.connect(port)
  return port
}

describe('A cable', () => {
  it('carries frames whole and in order, with their headers, counted at both ends', async () => {
    const [a, b] = [new Switch({ name: 'a' }), new Switch({ name: 'b' })]
    const [near, far] = cable(a, b)
    const [pc, peer] = [host(a), host(b)]
    const frames = [FRAME, FRAME.map((octet, i) => (i === 20 ? 99 : octet))]
    const header: InjectedHeader = { flags: 1, checksumStart: 34, checksumOffset: 6 }
    pc.injectBatch(frames, header)
    expect(peer.sent).toEqual([])
    await turn()
    expect(peer.sent).toEqual(frames)
    expect(peer.sentHeaders.map((octets) => [...octets])).toEqual(
      Array.from({ length: 2 }, () => [1, 0, 0, 0, 0, 0, 34, 0, 6, 0]),
    )
    expect(near.counters.read()).toMatchObject({ outFrames: 2, outOctets: 120, inFrames: 0 })
    expect(far.counters.read()).toMatchObject({ inFrames: 2, inOctets: 120, outFrames: 0 })
  })

  it('allocates nothing for a frame that it carries', async () => {
    const [a, b] = [new Switch({ name: 'a' }), new Switch({ name: 'b' })]
    const [near, far] = cable(a, b)
    const memory = FrameMemory.native(128) // as frames of ports are
    const batch = 4000
    // Less than the smallest object: a turn of the event loop costs some, which the frames of a batch share.
    const most = 8
    let least = Infinity
    let rounds = 0
    for (; rounds < 30 && least >= most; rounds++) {
      globalThis.gc?.()
      const before = process.memoryUsage().heapUsed
      for (let i = 0; i < batch; i++) near.port?.send(memory, 32, 92)
      near.port?.flush()
      await turn()
      least = Math.min(least, (process.memoryUsage().heapUsed - before) / batch)
    }
    expect(least).toBeLessThan(most)
    memory.free()
    expect([near.counters.outFrames, far.counters.inFrames]).toEqual([rounds * batch, rounds * batch])
  })

  it('is bounded: what does not fit is counted as lost, and the rest arrives', async () => {
    const [a, b] = [new Switch({ name: 'a' }), new Switch({ name: 'b' })]
    const [near] = cable(a, b)
    const [pc, peer] = [host(a), host(b)]
    pc.injectBatch(Array.from({ length: 5000 }, () => FRAME))
    await turn()
    expect(peer.sent).toHaveLength(4096)
    expect(near.counters.read()).toMatchObject({ outFrames: 4096, outDrops: { 'queue-full': 904 } })
  })

  it('lets a ring of switches have a storm without holding up the process', async () => {
    const ring = ['a', 'b', 'c'].map((name) => new Switch({ name }))
    const [a, b, c] = ring
    if (!a || !b || !c) throw new Error('three')
    cable(a, b)
    cable(b, c)
    cable(c, a)
    const pc = host(a)
    pc.inject(FRAME)
    for (let i = 0; i < 100; i++) await turn()
    expect(pc.sent.length).toBeGreaterThan(10)
  })

  it('is down at the far end when an end is', () => {
    const [a, b] = [new Switch({ name: 'a' }), new Switch({ name: 'b' })]
    const [near, far] = cable(a, b)
    laid[0]?.far?.setUp(false, 'pulled')
    expect([near.isUp, far.isUp]).toEqual([true, false])
    host(b).inject(FRAME)
    expect(far.counters.read()).toMatchObject({ outFrames: 0 })
    laid[0]?.far?.setUp(true, 'plugged in')
    expect(far.isUp).toBe(true)
  })

  it('may be taken away while frames are under way', async () => {
    const [a, b] = [new Switch({ name: 'a' }), new Switch({ name: 'b' })]
    const [near] = cable(a, b)
    const [pc, peer] = [host(a), host(b)]
    pc.inject(FRAME)
    for (const end of laid.splice(0)) end.close()
    await turn()
    expect(peer.sent).toEqual([])
    expect(near.isUp).toBe(false)
  })
})
