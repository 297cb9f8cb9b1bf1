import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MemoryPort } from '#net/port/memory.ts'
import type { Port } from '#net/port/port.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { Switch } from '#net/switch/switch.ts'
import { putU16, u16, u32 } from '#net/wire/octets.ts'
import { FLAG_DATA_VALID, FLAG_NEEDS_CHECKSUM, GSO_TCPV4 } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { BROADCAST, frameOf, host, SwitchLab, tagsOf } from '#test/support/switch-lab.ts'

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
    const ports = [a, b].map((entry) => new MemoryPort(entry.counters, entry, { name: 'memory:x' }))
    for (const [i, entry] of [a, b].entries()) entry.connect(ports[i] as MemoryPort)
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

describe('transparent ports against a slow model', () => {
  const step = fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('frame' as const),
        port: fc.integer({ min: 1, max: 4 }),
        from: fc.nat(6),
        to: fc.nat(7),
        tags: fc.constantFrom(
          '',
          '',
          '8100.0p3',
          '8100.10',
          '8100.20',
          '88a8.10',
          '88a8.10 8100.20',
          '8100.10 8100.20',
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4000) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('link' as const),
        port: fc.integer({ min: 1, max: 4 }),
        up: fc.boolean(),
      }),
    },
  )

  it('every frame arrives where the model says, unchanged', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const ageingMs = 10_000
        const bridge = new Switch({ name: 'lab', ageingMs })
        const entries = [1, 2, 3, 4].map((n) => bridge.addEntry(n))
        const ports = entries.map((entry) => {
          const port = new MemoryPort(entry.counters, entry)
          entry.connect(port)
          return port
        })
        const known = new Map<string, { port: number; seen: number }>()
        let now = 0
        for (const s of steps) {
          if (s.kind === 'wait') {
            now += s.ms
            bridge.tick(now)
            for (const [key, entry] of known) if (now - entry.seen >= ageingMs) known.delete(key)
          } else if (s.kind === 'link') {
            ports[s.port - 1]?.setUp(s.up)
            if (!s.up) for (const [key, entry] of known) if (entry.port === s.port) known.delete(key)
          } else {
            const vlan = /^8100\.(\d+)/.exec(s.tags)?.[1] ?? '0'
            const source = `${s.from}/${vlan}`
            const before = known.get(source)
            if (before === undefined || before.port !== s.port || now - before.seen >= 1000) {
              known.set(source, { port: s.port, seen: now })
            }
            const frame = frameOf(s.to === 7 ? BROADCAST : host(s.to), host(s.from), s.tags)
            const target = known.get(`${s.to}/${vlan}`)?.port
            ports[s.port - 1]?.inject(frame)
            ports.forEach((port, i) => {
              const wanted = i + 1 !== s.port && port.up && (target === undefined || target === i + 1)
              expect(port.take()).toEqual(wanted ? [frame] : [])
            })
          }
        }
        expect(bridge.addresses().length).toBe(known.size)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a mixed switch', () => {
  const MODES = [
    'mode=transparent',
    'mode=access,vlan=10',
    'mode=access,vlan=0',
    'mode=access,vlan=100',
    'mode=trunk,native=10',
    'mode=trunk,tagged=10+100',
    'mode=tunnel,qnq=100,tagged=10',
    'mode=tunnel,qnq=100,strict=1',
  ]
  const TAGS = [
    '',
    '8100.0p5',
    '8100.10',
    '8100.10p3',
    '8100.100',
    '8100.100 8100.10',
    '8100.7',
    '88a8.9 8100.10',
  ]

  it('each port of a flood gets its own form, in batches of any frames, and the order is kept', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...MODES), { minLength: 2, maxLength: 6 }),
        fc.array(fc.tuple(fc.constantFrom(...TAGS), fc.nat(5)), { minLength: 1, maxLength: 12 }),
        (modes, frames) => {
          const lab = new SwitchLab(modes)
          lab.port(1).injectBatch(frames.map(([tags, from]) => frameOf(BROADCAST, host(from), tags)))
          lab.take().forEach((sent, i) => {
            // Alone, one frame at a time, between these two ports.
            const expected = frames.flatMap(([tags, from]) => {
              const pair = new SwitchLab([modes[0] ?? '', modes[i] ?? ''])
              pair.port(1).inject(frameOf(BROADCAST, host(from), tags))
              return i === 0 ? [] : pair.port(2).take()
            })
            expect(sent).toEqual(expected)
          })
        },
      ),
      { numRuns: 200 },
    )
  })

  it('a flood through transparent, access, trunk and tunnel ports', () => {
    const lab = new SwitchLab([
      'mode=access,vlan=100',
      'mode=transparent',
      'mode=access,vlan=100',
      'mode=trunk',
      'mode=tunnel,qnq=100',
      'mode=tunnel,qnq=100,tpid=88a8',
      'mode=access,vlan=10',
    ])
    const flood = (n: number, tags: string): (string | null)[] =>
      lab.tagsAfter(n, frameOf(BROADCAST, host(n), tags))
    expect(flood(1, '8100.0p5')).toEqual([null, '8100.100p5', '', '8100.100p5', '', null, null])
    expect(flood(2, '8100.100 8100.7')).toEqual([
      '8100.7',
      null,
      '8100.7',
      '8100.100 8100.7',
      '8100.7',
      null,
      null,
    ])
    expect(flood(5, '8100.7p2')).toEqual([
      '8100.7p2',
      '8100.100p2 8100.7p2',
      '8100.7p2',
      '8100.100p2 8100.7p2',
      null,
      null,
      null,
    ])
    expect(flood(6, '8100.7p2')).toEqual([null, '88a8.100p2 8100.7p2', null, null, null, null, null])
  })

  it('sends what is queued when the room for copies is used up, in the middle of a batch', () => {
    const lab = new SwitchLab([
      'mode=access,vlan=10',
      'mode=access,vlan=10',
      'mode=trunk',
      'mode=trunk,native=10',
    ])
    const body = (n: number): Uint8Array => Uint8Array.from({ length: 9000 }, (_, i) => (i * 7 + n) & 255)
    const frames = Array.from({ length: 400 }, (_, n) => frameOf(BROADCAST, host(n), '8100.0p1', body(n)))
    lab.port(1).injectBatch(frames)
    const [, access, trunk, native] = lab.take()
    const isEqual = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
      a !== undefined && Buffer.compare(a, b) === 0
    for (let n = 0; n < 400; n++) {
      const untagged = frameOf(BROADCAST, host(n), '', body(n))
      expect(isEqual(access?.[n], untagged) && isEqual(native?.[n], untagged)).toBe(true)
      expect(isEqual(trunk?.[n], frameOf(BROADCAST, host(n), '8100.10p1', body(n)))).toBe(true)
    }
    expect(lab.port(2).flushes).toBeGreaterThan(3)
    lab.bridge.close()
  })
})

describe('super-frames and unfinished checksums', () => {
  const PAYLOAD = 10_000
  const MSS = 1448
  const SEGMENTS = Math.ceil(PAYLOAD / MSS)
  const HEADERS = 14 + 20 + 20
  const header = (tagLength: number): object => ({
    flags: FLAG_NEEDS_CHECKSUM,
    gsoType: GSO_TCPV4,
    headerLength: HEADERS + tagLength,
    gsoSize: MSS,
    checksumStart: 34 + tagLength,
    checksumOffset: 16,
  })
  /** EtherType and TCP over IPv4 with a payload that tells where it is from. */
  function segment(payload: number): Uint8Array {
    const b = new Uint8Array(2 + 40 + payload)
    putU16(b, 0, 0x0800)
    b.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 2)
    putU16(b, 4, 40 + payload)
    b.set([0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0], 22)
    for (let i = 0; i < payload; i++) b[42 + i] = (i * 31) >> 4
    return b
  }
  const body = segment(PAYLOAD)

  function expectCut(sent: readonly Uint8Array[] | undefined, tag: number): void {
    expect(sent?.length).toBe(SEGMENTS)
    const payload: number[] = []
    sent?.forEach((frame, i) => {
      const ip = 14 + tag
      expect(u16(frame, ip + 2)).toBe(frame.length - ip)
      expect(u32(frame, ip + 24)).toBe(i * MSS)
      payload.push(...frame.slice(ip + 40))
    })
    expect(payload).toEqual([...body.slice(42)])
  }

  it('go whole to ports that take them, and are cut once for the others', () => {
    const lab = new SwitchLab([
      {},
      {},
      { options: { superFrames: false, maxFrame: 1514 } },
      { options: { superFrames: false, maxFrame: 1514 } },
    ])
    const frame = frameOf(BROADCAST, host(1), '', body)
    lab.port(1).inject(frame, header(0))
    const [, whole, cut, cutToo] = lab.take()
    expect(whole).toEqual([frame])
    expectCut(cut, 0)
    expect(cutToo).toEqual(cut)
    const counters = lab.entries.map((entry) => entry.counters.read())
    expect(counters.map((c) => c.inFrames + c.outFrames)).toEqual([SEGMENTS, SEGMENTS, SEGMENTS, SEGMENTS])
    const octets = PAYLOAD + SEGMENTS * HEADERS
    expect(counters.map((c) => c.inOctets + c.outOctets)).toEqual([octets, octets, octets, octets])
    lab.bridge.close()
  })

  it('are cut after their tag was changed', () => {
    const lab = new SwitchLab([
      { mode: 'mode=access,vlan=10' },
      { mode: 'mode=trunk', options: { superFrames: false, maxFrame: 1518 } },
      { mode: 'mode=access,vlan=10', options: { superFrames: false, maxFrame: 1514 } },
      { mode: 'mode=trunk' },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', body), header(0))
    const headers = lab.port(4).sentHeaders[0]
    const [, trunk, access, whole] = lab.take()
    expectCut(access, 0)
    expectCut(trunk, 4)
    expect(trunk?.every((frame) => u32(frame, 12) === 0x8100_000a)).toBe(true)
    expect(whole).toEqual([frameOf(BROADCAST, host(1), '8100.10', body)])
    expect([...(headers ?? [])]).toEqual([1, 1, 58, 0, MSS & 255, MSS >> 8, 38, 0, 16, 0])
    lab.bridge.close()
  })

  it('are dropped for a port that their wire frames do not fit, counted as wire frames', () => {
    const lab = new SwitchLab([
      {},
      { options: { maxFrame: HEADERS + MSS } },
      { options: { maxFrame: HEADERS + MSS - 1 } },
      { options: { superFrames: false, maxFrame: HEADERS + MSS - 1 } },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', body), header(0))
    // The last segment is short enough for the port that gets wire frames.
    expect(lab.take().map((sent) => sent.length)).toEqual([0, 1, 0, 1])
    expect(lab.entries.map((entry) => entry.counters.read().outDrops)).toEqual([
      {},
      {},
      { 'too-big': SEGMENTS },
      { 'too-big': SEGMENTS - 1 },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', new Uint8Array(HEADERS + MSS - 11)))
    expect(lab.entries.map((entry) => entry.counters.outDrops[1])).toEqual([0, 1, SEGMENTS + 1, SEGMENTS])
    lab.bridge.close()
  })

  it('count as wire frames when the link is down', () => {
    const lab = new SwitchLab([{}, { options: { up: false } }])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', body), header(0))
    expect(lab.entry(2).counters.read().outDrops).toEqual({ 'link-down': SEGMENTS })
  })

  it('a checksum is completed for a port that wants finished frames', () => {
    const lab = new SwitchLab([{}, { options: { superFrames: false } }, {}])
    const octets = frameOf(BROADCAST, host(1), '', segment(10))
    const open = { flags: FLAG_NEEDS_CHECKSUM, checksumStart: 34, checksumOffset: 16 }
    lab.port(1).inject(octets, open)
    const [, [finished] = [], whole] = lab.take()
    expect(whole).toEqual([octets])
    expect(finished?.length).toBe(octets.length)
    expect(u16(finished ?? octets, 50)).not.toBe(0)
    lab.port(1).inject(octets, { flags: FLAG_DATA_VALID })
    expect(lab.take()[1]).toEqual([octets])
    lab.bridge.close()
  })

  it('a header that cannot be true is dropped at the port that it came from, or where it has to be finished', () => {
    const lab = new SwitchLab([{}, { options: { superFrames: false } }, {}])
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { gsoType: 77, gsoSize: 100 })
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { flags: 1, checksumStart: 9000 })
    expect(lab.bridge.addresses()).toEqual([])
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { gsoType: GSO_TCPV4, gsoSize: 100 })
    expect(lab.take().map((sent) => sent.length)).toEqual([0, 0, 1])
    expect(lab.entry(1).counters.read().inDrops).toEqual({ 'bad-offload': 2 })
    expect(lab.entry(2).counters.read().outDrops).toEqual({ 'bad-offload': 1 })
    lab.bridge.close()
  })

  it('many in one batch go through the finisher although they do not fit it at once', () => {
    const lab = new SwitchLab([{}, { options: { superFrames: false } }, {}])
    const frame = frameOf(BROADCAST, host(1), '', body)
    lab.port(1).injectBatch(Array<Uint8Array>(200).fill(frame), header(0))
    expect(lab.port(2).sent.length).toBe(200 * SEGMENTS)
    expectCut(lab.port(2).sent.slice(-SEGMENTS), 0)
    expect(lab.port(2).flushes).toBeGreaterThan(1)
    lab.bridge.close()
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

it('shows the tags of what it was given', () => {
  expect(tagsOf(frameOf(BROADCAST, host(1), '88a8.100p3 8100.10'))).toBe('88a8.100p3 8100.10')
})
