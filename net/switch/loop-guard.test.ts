import { describe, expect, it } from 'vitest'
import { DROP_LOOP } from '#net/port/counters.ts'
import { LoopGuard } from '#net/switch/loop-guard.ts'
import { Switch, type SwitchPort } from '#net/switch/switch.ts'
import { MemoryPort } from '#net/port/memory.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

/** A frame whose payload is its own. */
const frame = (to: number, from: number, seed: number): Uint8Array =>
  frameOf(to, from, '', Uint8Array.from([0x08, 0x06, seed >> 8, seed & 255, ...Array<number>(42).fill(7)]))

const BATCH = 32
const BUFFER = 4096

/** A switch with loop protection, some of whose ports are joined outside it: what leaves one comes in at the others. */
class LoopLab {
  readonly told: string[] = []
  readonly bridge = new Switch({
    name: 'lab',
    hashSeed: 1,
    onLoop: (entry, isShut) =>
      this.told.push(isShut ? `${entry.number} shut with ${entry.hold?.other}` : `${entry.number} open`),
  })
  readonly entries: SwitchPort[]
  readonly ports: MemoryPort[]
  readonly #joined: readonly number[]
  /** Frames that came back into the switch. */
  returned = 0
  now = 0

  /** @param joined  numbers of ports; of one port: it is joined to itself */
  constructor(count: number, joined: readonly number[]) {
    this.#joined = joined
    this.bridge.setLoopProtection(true)
    this.entries = Array.from({ length: count }, () => this.bridge.addEntry())
    this.ports = this.entries.map((entry) => {
      const port = new MemoryPort(entry.counters, entry)
      entry.connect(port)
      return port
    })
  }

  /** Hands in frames, and what comes back by the loop, round by round until nothing does. @returns rounds */
  send(port: number, frames: readonly Uint8Array[], mostRounds = 1000): number {
    this.ports[port - 1]?.injectBatch(frames)
    for (let round = 0; round < mostRounds; round++) {
      const left = this.#joined.map((n) => this.ports[n - 1]?.take() ?? [])
      if (left.every((list) => list.length === 0)) return round
      const back = this.#joined.map((_, i) =>
        left.filter((_list, j) => j !== i || this.#joined.length === 1).flat(),
      )
      this.#receive(back)
    }
    return mostRounds
  }

  /** As network cards do: some frames of each port in turn, and what finds no room in their buffers is lost. */
  #receive(back: readonly (readonly Uint8Array[])[]): void {
    for (let from = 0; from < BUFFER; from += BATCH)
      for (const [i, n] of this.#joined.entries()) {
        const batch = back[i]?.slice(from, from + BATCH) ?? []
        this.returned += batch.length
        if (batch.length > 0) this.ports[n - 1]?.injectBatch(batch)
      }
  }

  /** A second later. */
  second(): void {
    this.now += 1000
    this.bridge.tick(this.now)
  }

  shut(): number[] {
    return this.entries.filter(({ blocked }) => blocked === DROP_LOOP).map(({ number }) => number)
  }
}

describe('loop protection', () => {
  it.each([
    ['of one address', 1],
    ['of 20 addresses', 20],
    ['of 2000 addresses', 2000],
  ])('ends a storm %s between two ports, and shuts one of them', (_, hosts) => {
    const lab = new LoopLab(4, [1, 2])
    const frames = Array.from({ length: hosts }, (_unused, i) => frame(BROADCAST, host(i + 1), i))
    expect(lab.send(3, frames)).toBeLessThan(60)
    expect(lab.shut().length).toBe(1)
    expect([1, 2]).toContain(lab.shut()[0])
    expect(lab.told.length).toBe(1)
    expect(lab.returned).toBeLessThan(60 * hosts)
    // The others go on, and see a host where it is.
    lab.ports.forEach((port) => port.take())
    lab.send(3, [frame(BROADCAST, host(1), 9)])
    lab.ports.forEach((port) => port.take())
    lab.send(4, [frame(host(1), host(5000), 9)])
    expect(lab.ports.map((port) => port.take().length)).toEqual([0, 0, 1, 0])
  })

  it('opens loops of three ports until none is left', () => {
    const lab = new LoopLab(5, [1, 2, 3])
    // Each frame becomes four each round.
    expect(lab.send(4, [frame(BROADCAST, host(1), 1)], 30)).toBeLessThan(30)
    expect(lab.shut().length).toBe(2)
    expect(lab.shut().every((n) => n <= 3)).toBe(true)
  })

  it('ends a storm of frames to an unknown address, and of tagged frames', () => {
    const lab = new LoopLab(3, [1, 2])
    expect(lab.send(3, [frame(host(77), host(1), 1)])).toBeLessThan(60)
    expect(lab.shut().length).toBe(1)
    const tagged = new LoopLab(3, [1, 2])
    expect(tagged.send(3, [frameOf(BROADCAST, host(1), '8100.5')])).toBeLessThan(60)
    expect(tagged.shut().length).toBe(1)
  })

  it.each([1, 2, 3])('finds a port that is joined to itself: port %i', (self) => {
    const lab = new LoopLab(3, [self])
    const others = [1, 2, 3].filter((n) => n !== self)
    // Two hosts that send to all some ten times a second, also the same again and again.
    for (let i = 0; i < 14; i++) for (const n of others) lab.send(n, [frame(BROADCAST, host(n), i >> 2)])
    expect(lab.shut()).toEqual([self])
    expect(lab.told[0]).toMatch(new RegExp(`^${self} shut with [${others.join('')}]$`))
  })

  it('drops what comes from a shut port, sends it nothing, and lets it in again', () => {
    const lab = new LoopLab(3, [1, 2])
    lab.send(3, [frame(BROADCAST, host(1), 1)])
    const [number = 0] = lab.shut()
    const entry = lab.entries[number - 1]
    const before = entry?.counters.read().inDrops.loop ?? 0
    lab.ports[number - 1]?.inject(frame(host(1), host(9), 1))
    expect(entry?.counters.read().inDrops.loop).toBe(before + 1)
    expect(lab.bridge.table.count(number)).toBe(0)
    expect(entry?.read(0).loop).toEqual({ port: 3 - number, holdSeconds: 5 })
    const holds: number[] = []
    for (let i = 0; i < 800; i++) {
      if (lab.shut().length === 0) {
        lab.send(3, [frame(BROADCAST, host(1), i)])
        const [shut = 0] = lab.shut()
        holds.push(lab.entries[shut - 1]?.read(0).loop?.holdSeconds ?? 0)
      }
      lab.second()
    }
    expect(holds).toEqual([10, 20, 40, 80, 160, 320, 320])
    // Mended: after as long in peace as it was shut, it begins anew.
    for (let i = 0; i < 700; i++) lab.second()
    expect(lab.shut()).toEqual([])
    expect(lab.told.at(-1)).toMatch(/open$/)
    lab.send(3, [frame(BROADCAST, host(1), 1)])
    expect(Math.max(...lab.entries.map((one) => one.read(0).loop?.holdSeconds ?? 0))).toBe(5)
  })

  it('opens what is shut when it is switched off, and lets loops be', () => {
    const lab = new LoopLab(3, [1, 2])
    lab.send(3, [frame(BROADCAST, host(1), 1)])
    lab.bridge.setLoopProtection(false)
    expect(lab.shut()).toEqual([])
    expect(lab.send(3, [frame(BROADCAST, host(1), 2)], 100)).toBe(100)
  })
})

const datagram = (n: number): Uint8Array =>
  frameOf(0x3333_0000_0001, host(1), '', Uint8Array.from([0x86, 0xdd, ...Array<number>(1000).fill(7), n]))

describe('no loop is', () => {
  it('a host that roams, even 200 times a second', () => {
    const lab = new LoopLab(3, [])
    for (let i = 0; i < 200; i++) lab.send(1 + (i % 2), [frame(BROADCAST, host(1), i)])
    expect(lab.told).toEqual([])
  })

  it('two ports that share the frames of one host, which differ in their last octets alone', () => {
    const lab = new LoopLab(3, [])
    for (let i = 0; i < 200; i++) lab.send(1 + (i % 2), [datagram(i)])
    expect(lab.told).toEqual([])
  })

  it('a frame that comes twice now and then, a few in a second', () => {
    const lab = new LoopLab(3, [])
    for (let i = 0; i < 60; i++) {
      for (let n = 0; n < 8; n++)
        for (const port of [1, 2]) lab.send(port, [frame(BROADCAST, host(1), 8 * i + n)])
      lab.second()
    }
    expect(lab.told).toEqual([])
  })

  it('a failover of a whole LAN, there and back within a second', () => {
    const lab = new LoopLab(3, [])
    for (const port of [1, 2, 1, 2])
      lab.send(
        port,
        Array.from({ length: 5000 }, (_, i) => frame(BROADCAST, host(i), port * 7 + i)),
      )
    expect(lab.told).toEqual([])
  })

  it('an address that two hosts have, each with frames of its own', () => {
    const lab = new LoopLab(3, [])
    for (let i = 0; i < 500; i++) lab.send(1 + (i % 2), [frame(BROADCAST, host(1), i)])
    // The same frame of both, too, where it goes straight to one port.
    lab.send(3, [frame(BROADCAST, host(3), 1)])
    for (let i = 0; i < 500; i++) lab.send(1 + (i % 2), [frame(host(3), host(1), 4)])
    expect(lab.told).toEqual([])
  })

  it('a router address that moves once a second with the same announcement', () => {
    const lab = new LoopLab(3, [])
    for (let i = 0; i < 60; i++) {
      for (let copy = 0; copy < 5; copy++) lab.send(1 + (i % 2), [frame(BROADCAST, host(1), 4)])
      lab.second()
    }
    expect(lab.told).toEqual([])
  })
})

it('allocates nothing for each frame that moves an address', () => {
  const guard = new LoopGuard()
  const octets = frame(BROADCAST, host(1), 1)
  let i = 0
  const perCall = bytesPerCall(() => {
    octets[20] = i & 255
    guard.moved(octets, 0, octets.length, 1 + (i & 7), 1 + (++i & 7))
    if ((i & 1023) === 0) guard.tick()
  })
  expect(perCall).toBeLessThan(1)
})
