import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import type { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MemoryPort } from '#net/port/memory.ts'
import type { Port } from '#net/port/port.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { Switch } from '#net/switch/switch.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

const transparent = (ports: number): SwitchLab => new SwitchLab(Array<string>(ports).fill('mode=transparent'))

describe('Switch', () => {
  it('floods the unknown, then sends to the one port where an address was seen', () => {
    const lab = transparent(3)
    expect(lab.tagsAfter(1, frameOf(host(2), host(1), ''))).toEqual([null, '', ''])
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), ''))).toEqual(['', null, null])
    expect(lab.tagsAfter(1, frameOf(host(2), host(1), ''))).toEqual([null, '', null])
    expect(lab.tagsAfter(3, frameOf(host(2), host(3), ''))).toEqual([null, '', null])
  })

  it('filters what is for the port that it came from', () => {
    const lab = transparent(2)
    lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))
    expect(lab.tagsAfter(1, frameOf(host(1), host(2), ''))).toEqual([null, null])
    expect(lab.port(2).flushes).toBe(1)
  })

  it.each([
    0x0180_c200_0000,
    0x0180_c200_0001,
    0x0180_c200_0002,
    0x0180_c200_0003,
    0x0180_c200_000e,
    0x0100_5e00_0001,
    0x3333_0000_0001,
    0x0100_0ccc_cccc,
    BROADCAST,
  ])('floods the group address %i, link-local or not', (group) => {
    const lab = transparent(3)
    lab.tagsAfter(2, frameOf(BROADCAST, host(1), ''))
    expect(lab.tagsAfter(1, frameOf(group, host(1), ''))).toEqual([null, '', ''])
    expect(lab.tagsAfter(1, frameOf(group, group, ''))).toEqual([null, '', ''])
    expect(lab.bridge.addresses().length).toBe(1)
  })

  it('follows an address that moves', () => {
    const lab = transparent(3)
    lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))
    lab.tagsAfter(2, frameOf(BROADCAST, host(1), ''))
    expect(lab.tagsAfter(3, frameOf(host(1), host(3), ''))).toEqual([null, '', null])
  })

  it('learns per VLAN', () => {
    const lab = transparent(3)
    lab.tagsAfter(1, frameOf(BROADCAST, host(1), '8100.10'))
    lab.tagsAfter(2, frameOf(BROADCAST, host(1), '8100.20'))
    expect(lab.tagsAfter(3, frameOf(host(1), host(3), '8100.10'))[0]).toBe('8100.10')
    expect(lab.tagsAfter(3, frameOf(host(1), host(3), '8100.20p7'))).toEqual([null, '8100.20p7', null])
    expect(lab.tagsAfter(3, frameOf(host(1), host(3), '8100.30'))).toEqual(['8100.30', '8100.30', null])
  })

  it('forgets an address after 300 s', () => {
    const lab = transparent(3)
    lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))
    lab.bridge.tick(299_999)
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), ''))).toEqual(['', null, null])
    lab.bridge.tick(300_000)
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), ''))).toEqual(['', null, ''])
  })

  it('flushes a port once a batch, however many frames it got', () => {
    const lab = transparent(3)
    lab.port(1).injectBatch(Array.from({ length: 50 }, (_, i) => frameOf(host(99), host(i), '')))
    expect(lab.take().map((sent) => sent.length)).toEqual([0, 50, 50])
    expect(lab.ports.map((port) => port.flushes)).toEqual([0, 1, 1])
  })

  it('drops short frames, counts them, and learns nothing from them', () => {
    const lab = transparent(2)
    const frame = frameOf(BROADCAST, host(1), '')
    for (let length = 0; length < 14; length++) lab.port(1).inject(frame.slice(0, length))
    lab.port(1).inject(frame.slice(0, 14))
    expect(lab.take()[1]).toEqual([frame.slice(0, 14)])
    expect(lab.entry(1).counters.read().inDrops).toEqual({ short: 14 })
    lab.port(2).inject(new Uint8Array(3))
    expect(lab.bridge.addresses().length).toBe(1)
  })

  it('learns nothing from a frame that the port does not take', () => {
    const lab = new SwitchLab(['mode=access,vlan=10', 'mode=trunk'])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '8100.10'))
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    expect(lab.bridge.addresses()).toEqual([])
    expect(lab.bridge.ports().map((port) => port.counters.inDrops)).toEqual([{ vlan: 1 }, { vlan: 1 }])
  })

  it('a flood of random sources leaves stable addresses where they are', () => {
    const lab = new SwitchLab(['mode=transparent', 'mode=transparent', 'mode=transparent'], 256)
    for (const now of [0, 1000]) {
      lab.bridge.tick(now)
      for (let n = 0; n < 100; n++) lab.port(1).inject(frameOf(BROADCAST, host(n), ''))
    }
    for (let n = 0; n < 2000; n++) lab.port(2).inject(frameOf(BROADCAST, host(1000 + n), ''))
    lab.take()
    for (let n = 0; n < 100; n++)
      expect(lab.tagsAfter(3, frameOf(host(n), host(500), ''))).toEqual(['', null, null])
    expect(lab.bridge.addresses().length).toBe(256)
  })
})

describe('entries', () => {
  it('take the lowest free number, or the one asked for', () => {
    const bridge = new Switch({ name: 'lab' })
    expect(
      [bridge.addEntry(), bridge.addEntry(3), bridge.addEntry(), bridge.addEntry()].map((e) => e.number),
    ).toEqual([1, 3, 2, 4])
    bridge.removeEntry(2)
    expect(bridge.addEntry().label).toBe('Port 0002')
    expect(() => bridge.addEntry(3)).toThrow(ConfigError)
    expect(() => bridge.addEntry(1025)).toThrow('cannot add port 1025 to lab: a switch has ports 1 to 1024')
    expect(bridge.addEntry(1024).label).toBe('Port 1024')
  })

  it('keep number, counters and description while ports come and go', () => {
    const lab = transparent(2)
    lab.entry(2).description = 'ann@site'
    lab.tagsAfter(2, frameOf(BROADCAST, host(2), ''))
    expect(lab.entry(2).disconnect()).toBe(lab.port(2))
    expect(lab.bridge.addresses()).toEqual([])
    lab.port(1).inject(frameOf(host(2), host(1), ''))
    expect(lab.bridge.ports()[1]).toMatchObject({ number: 2, name: '', description: 'ann@site', up: false })

    const other = new MemoryPort(lab.entry(2).counters, lab.entry(2), { name: 'tunnel:ann@site' })
    lab.entry(2).connect(other)
    lab.port(1).inject(frameOf(host(2), host(1), ''))
    expect(other.sent.length).toBe(1)
    expect(lab.bridge.ports()[1]).toMatchObject({
      name: 'tunnel:ann@site',
      up: true,
      maxFrame: 9216,
      counters: { inFrames: 1, outFrames: 1, outOctets: 60, outDrops: { 'link-down': 1 } },
    })
  })

  it('count what would have gone to a port that is down, and forget its addresses', () => {
    const told: string[] = []
    const bridge = new Switch({
      name: 'lab',
      onPortChange: (entry, why) => told.push(`${entry.label} ${why}`),
    })
    const [a, b] = [bridge.addEntry(), bridge.addEntry()]
    const ports = [a, b].map((entry) => {
      const port = new MemoryPort(entry.counters, entry, { name: 'memory:x' })
      entry.connect(port)
      return port
    })
    ports[1]?.inject(frameOf(BROADCAST, host(2), ''))
    ports[1]?.setUp(false)
    expect(bridge.addresses()).toEqual([])
    for (let i = 0; i < 3; i++) ports[0]?.inject(frameOf(host(2), host(1), ''))
    expect(b.counters.read()).toMatchObject({ outFrames: 0, outDrops: { 'link-down': 3 } })
    expect(a.counters.read()).toMatchObject({ inFrames: 3, inOctets: 180, inDrops: {} })
    ports[1]?.setUp(true)
    expect(told).toEqual([
      'Port 0001 memory:x connected',
      'Port 0002 memory:x connected',
      'Port 0002 down',
      'Port 0002 up',
    ])
  })

  it('send what is queued before their port goes', () => {
    const lab = transparent(2)
    const memory = new FrameMemory(new Uint8Array(100))
    memory.bytes.set(frameOf(BROADCAST, host(1), ''), 16)
    lab.entry(1).frame(memory, 16, 76)
    lab.entry(2).disconnect()
    expect(lab.port(2).sent.length).toBe(1)
    lab.entry(1).batchEnd()
    expect(lab.port(2).sent.length).toBe(1)
  })

  it('take no more frames from a port that was let go', () => {
    const lab = transparent(2)
    lab.bridge.removeEntry(1)
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    expect([lab.take()[1], lab.bridge.addresses()]).toEqual([[], []])
    expect(lab.entry(1).counters.read()).toMatchObject({ inFrames: 1, inDrops: { 'link-down': 1 } })
  })

  it('leave nothing behind when they are removed', () => {
    const lab = transparent(3)
    lab.tagsAfter(2, frameOf(BROADCAST, host(2), ''))
    expect(lab.bridge.removeEntry(2)).toBe(lab.port(2))
    expect(lab.tagsAfter(1, frameOf(host(2), host(1), ''))).toEqual([null, null, ''])
    expect(lab.bridge.ports().map((port) => port.number)).toEqual([1, 3])
    expect(lab.bridge.removeEntry(2)).toBe(null)
  })

  it('change their mode, and forget what was learnt in the other one', () => {
    const lab = transparent(2)
    lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))
    lab.bridge.setMode(lab.entry(1), parsePortMode('mode=access,vlan=10'))
    expect(lab.bridge.addresses()).toEqual([])
    expect(lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))).toEqual([null, '8100.10'])
    lab.tagsAfter(2, frameOf(BROADCAST, host(2), '88a8.5'))
    lab.bridge.setMode(lab.entry(1), parsePortMode('mode=trunk,tpid=88a8'))
    expect(lab.bridge.addresses()).toEqual([])
    expect(lab.tagsAfter(2, frameOf(BROADCAST, host(2), '88a8.5'))).toEqual(['88a8.5', null])
  })
})

describe('allocates nothing per frame', () => {
  /** Takes frames and forgets them. */
  class SilentPort implements Port {
    readonly name = 'silent:'
    readonly counters: PortCounters
    readonly superFrames = true
    readonly maxFrame = 9216
    readonly up = true
    frames = 0
    constructor(counters: PortCounters) {
      this.counters = counters
    }
    send(): void {
      this.frames++
    }
    flush(): void {}
    close(): void {}
  }

  it.each([
    ['transparent unicast', ['mode=transparent', 'mode=transparent'], true, 1],
    ['transparent flood', ['mode=transparent', 'mode=transparent', 'mode=transparent'], false, 2],
    ['access to trunk', ['mode=access,vlan=10', 'mode=trunk'], true, 1],
    [
      'flood in three forms',
      ['mode=access,vlan=10', 'mode=access,vlan=10', 'mode=trunk', 'mode=transparent'],
      false,
      3,
    ],
  ])('%s', (_name, modes, isKnown, copies) => {
    const bridge = new Switch({ name: 'lab' })
    const entries = modes.map((mode) => bridge.addEntry(undefined, parsePortMode(mode)))
    const ports = entries.map((entry) => {
      const port = new SilentPort(entry.counters)
      entry.connect(port)
      return port
    })
    const memory = FrameMemory.native(256)
    const [first, second] = entries
    if (isKnown) {
      const tags = modes[1] === 'mode=trunk' ? '8100.10' : ''
      memory.bytes.set(frameOf(BROADCAST, host(2), tags), 32)
      second?.frame(memory, 32, 96)
    }
    const octets = frameOf(host(2), host(1), modes.length === 4 ? '8100.0p5' : '')
    let frames = 0
    const step = (): void => {
      for (let i = 0; i < 14; i++) memory.bytes[32 + i] = octets[i] ?? 0
      memory.bytes[46] = octets[14] ?? 0
      memory.bytes[47] = octets[15] ?? 0
      for (let i = 22; i < 32; i++) memory.bytes[i] = 0
      first?.frame(memory, 32, 32 + octets.length)
      first?.batchEnd()
      bridge.tick(frames++)
    }
    expect(bytesPerCall(step)).toBeLessThan(8)
    expect(ports.slice(1).reduce((sum, port) => sum + port.frames, 0)).toBe(frames * copies)
    bridge.close()
    memory.free()
  })
})
