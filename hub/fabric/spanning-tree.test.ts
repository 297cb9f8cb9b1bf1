import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryPort } from '#net/port/memory.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'
import { Bridge } from '#hub/fabric/bridge.ts'
import { applySettings, BRIDGE_SETTINGS, PORT_SETTINGS } from '#hub/fabric/settings.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

/** A bridge of a hub; what its ports are sent goes to those that they are joined to. */
class Site {
  readonly bridge: Bridge
  readonly entries: SwitchPort[]
  readonly ports: MemoryPort[]

  constructor(identity: string, ports: number) {
    this.bridge = new Bridge({ name: 'v' }, () => {}, { identity })
    this.entries = Array.from({ length: ports }, () => this.bridge.switch.addEntry())
    this.ports = this.entries.map((entry, i) => {
      const port = new MemoryPort(entry.counters, entry, { name: `memory:${i + 1}` })
      entry.connect(port)
      return port
    })
  }

  set(wanted: Record<string, string>): void {
    applySettings(BRIDGE_SETTINGS, this.bridge, wanted)
  }

  setPort(n: number, wanted: Record<string, string>): void {
    const entry = this.entries[n - 1]
    if (entry) applySettings(PORT_SETTINGS, { bridge: this.bridge, entry }, wanted)
  }

  /** `role state` of each port. */
  get shown(): string[] {
    return this.bridge.spanningTree.read().ports.map(({ role, state }) => `${role} ${state}`)
  }
}

const idOf = (identity: string | undefined, name: string): string =>
  new Bridge({ name }, () => {}, { identity }).spanningTree.read().bridgeId

/** Port `n` of both is one cable, for each n up to `links`. */
function exchange(a: Site, b: Site, links: number): void {
  for (let busy = true; busy;) {
    busy = false
    for (let i = 0; i < links; i++)
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const)
        for (const frame of from.ports[i]?.take() ?? []) {
          busy = true
          to.ports[i]?.inject(frame)
        }
  }
}

async function pass(a: Site, b: Site, links: number, ms: number): Promise<void> {
  for (let i = 0; i < ms; i += 100) {
    exchange(a, b, links)
    await vi.advanceTimersByTimeAsync(100)
  }
  exchange(a, b, links)
}

describe('a bridge with rstp=on', () => {
  it('forms a tree with another one, follows settings, and lets everything through when it is off again', async () => {
    const a = new Site('a', 3)
    const b = new Site('b', 3)
    a.set({ rstp: 'on', priority: '4096' })
    b.set({ rstp: 'on' })
    expect(a.shown).toEqual(Array(3).fill('designated discarding'))
    await pass(a, b, 2, 5000)
    expect(a.shown).toEqual(Array(3).fill('designated forwarding'))
    expect(b.shown).toEqual(['root forwarding', 'alternate discarding', 'designated forwarding'])
    const { root, rootPort, rootCost, ports } = b.bridge.spanningTree.read()
    expect([root, rootPort, rootCost]).toEqual([a.bridge.spanningTree.read().bridgeId, 1, 20_000])
    expect(ports.map(({ edge }) => edge)).toEqual([false, false, true])
    // One broadcast arrives once, and comes back to nobody.
    for (const site of [a, b]) for (const port of site.ports) port.take()
    a.ports[2]?.inject(frameOf(BROADCAST, host(1), ''))
    exchange(a, b, 2)
    expect([a.ports[2]?.take().length, b.ports[2]?.take().length]).toEqual([0, 1])
    // Settings of ports, the other way.
    b.setPort(1, { cost: '200000' })
    await pass(a, b, 2, 5000)
    expect(b.shown.slice(0, 2)).toEqual(['alternate discarding', 'root forwarding'])
    // A link goes, and comes back.
    b.ports[1]?.setUp(false)
    a.ports[1]?.setUp(false)
    await pass(a, b, 2, 1000)
    expect(b.shown.slice(0, 2)).toEqual(['root forwarding', 'disabled discarding'])
    b.set({ rstp: 'off' })
    expect(b.entries.map(({ blocked }) => blocked)).toEqual([-1, -1, -1])
    expect(b.shown).toEqual([])
    expect(b.bridge.switch.bpduSink).toBeNull()
    a.bridge.close()
    b.bridge.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes ports that come while it is on, and forgets those that go', async () => {
    const a = new Site('a', 1)
    a.set({ rstp: 'on' })
    const entry = a.bridge.switch.addEntry(undefined, parsePortMode('mode=access,vlan=10'))
    const port = new MemoryPort(entry.counters, entry, {})
    entry.connect(port)
    expect(a.shown).toEqual(['designated discarding', 'designated discarding'])
    await vi.advanceTimersByTimeAsync(3500)
    expect(a.shown).toEqual(['designated forwarding', 'designated forwarding'])
    a.bridge.switch.removeEntry(2)
    a.bridge.tick(performance.now())
    expect(a.shown).toEqual(['designated forwarding'])
    // The number is used again before the bridge has looked.
    for (let i = 0; i < 2; i++) {
      a.bridge.switch.removeEntry(2)
      const next = a.bridge.switch.addEntry(2)
      next.connect(new MemoryPort(next.counters, next, { name: `memory:${i}` }))
      expect(next.stpState).toBe('discarding')
      expect(a.shown[1]).toBe('designated discarding')
    }
    a.bridge.close()
  })

  it('counts BPDUs that are malformed or too many', () => {
    const a = new Site('a', 1)
    const b = new Site('b', 1)
    a.set({ rstp: 'on' })
    b.set({ rstp: 'on' })
    const [bpdu = new Uint8Array()] = b.ports[0]?.take() ?? []
    const bad = Uint8Array.from(bpdu)
    bad[20] = 0x55
    a.ports[0]?.inject(bad)
    for (let i = 0; i < 200; i++) a.ports[0]?.inject(bpdu)
    const [port] = a.bridge.spanningTree.read().ports
    expect([port?.rcvdBpdus, port?.badBpdus]).toEqual([29, 172])
    a.bridge.tick(performance.now())
    a.ports[0]?.inject(bpdu)
    expect(a.bridge.spanningTree.read().ports[0]?.rcvdBpdus).toBe(30)
    a.bridge.close()
    b.bridge.close()
  })

  it('has nothing to do with a port where copies of a mirror go, until they go there no more', async () => {
    const a = new Site('a', 2)
    a.set({ rstp: 'on' })
    await vi.advanceTimersByTimeAsync(5000)
    a.setPort(2, { mirror: 'in:1' })
    expect(a.shown[1]).toBe('disabled discarding')
    a.ports[1]?.take()
    await vi.advanceTimersByTimeAsync(5000)
    expect(a.ports[1]?.take()).toEqual([])
    a.ports[1]?.setUp(false)
    a.ports[1]?.setUp(true)
    expect(a.shown[1]).toBe('disabled discarding')
    const frame = frameOf(BROADCAST, host(1), '')
    a.ports[0]?.inject(frame)
    expect(a.ports[1]?.take()).toEqual([frame])
    a.setPort(2, { mirror: 'none' })
    await vi.advanceTimersByTimeAsync(5000)
    expect(a.shown[1]).toBe('designated forwarding')
    a.bridge.close()
  })

  it('speaks STP to an STP bridge, and RSTP again when it is asked to', async () => {
    const a = new Site('a', 1)
    a.set({ rstp: 'on' })
    await vi.advanceTimersByTimeAsync(3500)
    const [bpdu = new Uint8Array()] = a.ports[0]?.take() ?? []
    // The same as a Configuration BPDU of a worse bridge.
    const config = Uint8Array.from(bpdu)
    config.set([0, 38], 12)
    config.set([0, 0, 0], 19)
    config.set([0xf0, 0, 2, 0, 0, 0, 0, 9], 22)
    config.set([0xf0, 0, 2, 0, 0, 0, 0, 9], 34)
    const speaksRstp = (): boolean | undefined => a.bridge.spanningTree.read().ports[0]?.rstp
    a.ports[0]?.inject(config)
    expect(speaksRstp()).toBe(false)
    a.setPort(1, { mcheck: 'now' })
    expect(speaksRstp()).toBe(true)
    expect(() => a.setPort(1, { mcheck: 'yes' })).toThrow('it is now')
    a.bridge.close()
  })

  it('has an address that follows from hub and bridge, and nobody else has it', () => {
    expect(idOf('a', 'v')).toBe(idOf('a', 'v'))
    expect(
      new Set([idOf('a', 'v'), idOf('b', 'v'), idOf('a', 'w'), idOf(undefined, 'v'), idOf(undefined, 'v')])
        .size,
    ).toBe(5)
    expect(idOf('a', 'v')).toMatch(/^32768\.[0-9a-f][26ae]:/)
  })
})

describe('loop protection of a bridge', () => {
  it('is on, tells both ports, and can be switched off', () => {
    const said: string[] = []
    const bridge = new Bridge({ name: 'v' }, () => {}, {
      say: (level, text) => said.push(`${level} ${text}`),
    })
    const entries = [1, 2].map(() => bridge.switch.addEntry())
    const ports = entries.map((entry, i) => {
      entry.description = `nic:eth${i}`
      const port = new MemoryPort(entry.counters, entry, {})
      entry.connect(port)
      return port
    })
    for (let i = 0; i < 30; i++) ports[i % 2]?.inject(frameOf(BROADCAST, host(1), ''))
    expect(said.length).toBe(1)
    expect(said[0]).toMatch(
      /^warn v: a loop leads through port [12] \(nic:eth[01]\) and port [12] \(nic:eth[01]\)/,
    )
    bridge.tick(5000)
    expect(said[1]).toMatch(/^info v: port [12] \(nic:eth[01]\) is open again/)
    applySettings(BRIDGE_SETTINGS, bridge, { 'loop-protection': 'off' })
    for (let i = 0; i < 30; i++) ports[i % 2]?.inject(frameOf(BROADCAST, host(1), ''))
    expect(said.length).toBe(2)
    expect(() => applySettings(BRIDGE_SETTINGS, bridge, { 'loop-protection': 'x' })).toThrow('on or off')
    bridge.close()
  })
})
