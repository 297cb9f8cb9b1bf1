/**
 * A bridge with everything that it has, in random order: what each port received and sent is in its counters to the
 * frame, what is refused changes nothing, no frame comes twice or changed, and nothing throws.
 */
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { Capture } from '#net/capture/capture.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { type InjectedHeader, MemoryPort } from '#net/port/memory.ts'
import { wireFrames } from '#net/port/wire-count.ts'
import { type FrameObserver, SENT } from '#net/switch/observer.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import { u16, u32 } from '#net/wire/octets.ts'
import { GSO_TCPV4 } from '#net/wire/virtio.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'
import { Bridge } from '#hub/fabric/bridge.ts'
import { applySettings, BRIDGE_SETTINGS, PORT_SETTINGS, readSettings } from '#hub/fabric/settings.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

const PORTS = 5
const TEST_TYPE = 0x88b5
const BPDU_BODY = Uint8Array.from([0, 39, 0x42, 0x42, 3, ...Array<number>(43).fill(0)])
/** From the EtherType on: TCP over IPv4 with 300 octets of payload. */
const TCP_HEADERS = '08004500015400010000400600000a0000010a0000020050005000000000000000005010010000000000'
const TCP_BODY = Uint8Array.from([...Buffer.from(TCP_HEADERS, 'hex'), ...Array<number>(300).fill(7)])
const KINDS: Readonly<Record<'plain' | 'super' | 'unfit', InjectedHeader>> = {
  plain: {},
  super: { gsoType: GSO_TCPV4, gsoSize: 100 },
  // What no system could cut: it says TCP, and holds none.
  unfit: { gsoType: GSO_TCPV4, gsoSize: 100 },
}

const port = fc.integer({ min: 1, max: PORTS })
const frame = fc.record({
  from: fc.nat(5),
  to: fc.nat(6),
  tags: fc.constantFrom('', '', '8100.10', '8100.20p3', '88a8.10 8100.20'),
})
const portSettings = fc.constantFrom<Record<string, string>[]>(
  { mode: 'transparent' },
  { mode: 'access,vlan=10' },
  { mode: 'trunk,native=1,tagged=all' },
  { mode: 'tunnel,qnq=100,strict=1,tpid=88a8' },
  { mirror: '1+2' },
  { mirror: 'in:3', block: 'bpdu' },
  { mirror: 'none' },
  { impair: 'delay=5ms' },
  { 'impair-in': 'loss=50%,seed=1' },
  { 'impair-out': 'rate=100kbit,limit=1500' },
  { impair: 'none', link: 'up' },
  { link: 'down' },
  { link: 'up', storm: '3' },
  { block: 'dhcp+ra', storm: 'off' },
  { edge: 'yes', cost: '5' },
  // Refused: one of several.
  { mode: 'access,vlan=20', mirror: '9' },
  { impair: 'delay=9ms', storm: '0' },
)
const bridgeSettings = fc.constantFrom<Record<string, string>[]>(
  { rstp: 'on' },
  { rstp: 'on', priority: '4096' },
  { rstp: 'off' },
  { 'loop-protection': 'off', ageing: '10' },
  { 'loop-protection': 'on' },
  { ageing: '20', hello: '9' },
)
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom('plain' as const, 'plain' as const, 'super' as const, 'unfit' as const),
      port,
      frames: fc.array(frame, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bpdu' as const), port }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), port, settings: portSettings }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('bridge' as const), settings: bridgeSettings }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), port, up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), port, cuts: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('capture' as const), port: fc.nat(PORTS) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4000) }) },
)

/** Wire frames that went each way at one entry, and those that were lost before an observer. */
interface Account {
  readonly passed: [number, number]
  readonly dropped: [number, number]
}

/** Sees all frames, as they are counted. */
class Ledger implements FrameObserver {
  readonly accounts = new Map<SwitchPort, Account>()
  readonly faults: string[] = []
  /** Entries that were where copies go once: they may get frames more than once. */
  readonly destinations = new Set<SwitchPort>()
  /** Frames are handed in: nothing else happens. */
  isReceiving = false
  private readonly sent = new Map<SwitchPort, Set<number>>()

  frame(
    entry: SwitchPort,
    direction: number,
    reason: number,
    m: FrameMemory,
    start: number,
    end: number,
  ): void {
    const account = this.accounts.get(entry)
    if (account === undefined) return void this.faults.push(`a frame of port ${entry.number}, which is gone`)
    const side = direction === SENT ? 1 : 0
    account[reason < 0 ? 'passed' : 'dropped'][side] += wireFrames(m.bytes, start, end)
    if (direction === SENT && reason < 0) this.checkSent(entry, m.bytes, start, end)
  }

  private checkSent(entry: SwitchPort, b: Uint8Array, start: number, end: number): void {
    let at = start + 12
    while ([0x8100, 0x88a8].includes(u16(b, at))) at += 4
    if (u16(b, at) !== TEST_TYPE || this.destinations.has(entry)) return
    const serial = u32(b, at + 2)
    const seen = this.sent.get(entry) ?? new Set<number>()
    this.sent.set(entry, seen)
    if (seen.has(serial)) this.faults.push(`frame ${serial} was sent to port ${entry.number} twice`)
    seen.add(serial)
    if (this.isReceiving && entry.blocked >= 0 && entry.outLink === null)
      this.faults.push(`frame ${serial} was sent to port ${entry.number}, which is shut`)
    for (let i = at + 6; i < end; i++)
      if (b[i] !== (serial & 255)) this.faults.push(`frame ${serial} was changed at octet ${i - start}`)
  }
}

class Model {
  readonly ledger = new Ledger()
  readonly bridge = new Bridge({ name: 'v' }, () => {}, { identity: 'model' })
  readonly ports: MemoryPort[] = []
  private readonly captures: Capture[] = []
  private serial = 0

  constructor() {
    this.bridge.switch.observe(this.ledger)
    for (let n = 1; n <= PORTS; n++) this.add(n, n % 2 === 0)
  }

  /** @param cuts  the port carries wire frames only */
  add(number: number, cuts: boolean): void {
    const entry = this.bridge.switch.addEntry(number)
    this.ledger.accounts.set(entry, { passed: [0, 0], dropped: [0, 0] })
    const made = new MemoryPort(entry.counters, entry, { superFrames: !cuts, maxFrame: cuts ? 110 : 9216 })
    this.ports[number - 1] = made
    entry.connect(made)
  }

  entry(number: number): SwitchPort {
    const found = this.bridge.switch.entry(number)
    if (found === null) throw new Error(`no port ${number}`)
    return found
  }

  run(s: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    if (s.kind === 'wait') {
      vi.advanceTimersByTime(s.ms)
      this.bridge.tick(performance.now())
    } else if (s.kind === 'bridge') {
      this.refusedWhole(
        () => applySettings(BRIDGE_SETTINGS, this.bridge, s.settings),
        () => readSettings(BRIDGE_SETTINGS, this.bridge),
      )
    } else if (s.kind === 'capture') this.capture(s.port)
    else if (s.kind === 'set') this.set(s.port, s.settings)
    else if (s.kind === 'link') this.ports[s.port - 1]?.setUp(s.up)
    else if (s.kind === 'replace') {
      this.bridge.switch.removeEntry(s.port)
      this.add(s.port, s.cuts)
    } else if (s.kind === 'bpdu')
      this.receive(s.port, [frameOf(0x0180_c200_0000, host(9), '', BPDU_BODY)], {})
    else {
      const frames = s.frames.map(({ from, to, tags }) => {
        const serial = ++this.serial
        const own = Uint8Array.from([
          0x88,
          0xb5,
          0,
          0,
          serial >> 8,
          serial,
          ...Array<number>(60).fill(serial),
        ])
        return frameOf(to === 6 ? BROADCAST : host(to), host(from), tags, s.kind === 'super' ? TCP_BODY : own)
      })
      this.receive(s.port, frames, KINDS[s.kind])
    }
  }

  private receive(number: number, frames: readonly Uint8Array[], header: InjectedHeader): void {
    this.ledger.isReceiving = true
    this.ports[number - 1]?.injectBatch(frames, header)
    this.ledger.isReceiving = false
  }

  private set(number: number, settings: Record<string, string>): void {
    const target = { bridge: this.bridge, entry: this.entry(number) }
    if (settings['mirror'] !== undefined) this.ledger.destinations.add(target.entry)
    this.refusedWhole(
      () => applySettings(PORT_SETTINGS, target, settings),
      () => readSettings(PORT_SETTINGS, target),
    )
  }

  private refusedWhole(change: () => void, read: () => Record<string, string>): void {
    const before = read()
    try {
      change()
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== 'bad-setting') throw error
      if (JSON.stringify(read()) !== JSON.stringify(before))
        this.ledger.faults.push(`changed: ${error.message}`)
    }
  }

  /** One more capture, or the end of all for port 0. */
  private capture(number: number): void {
    if (number === 0 || this.captures.length === 4) return this.endCaptures()
    const capture = new Capture({
      name: 'v',
      direction: 'both',
      onlyDrops: false,
      filter: null,
      snapLength: 100,
      count: 0,
      octets: 4096,
      clock: (time) => time.fill(0),
      onChange: () => {},
    })
    capture.allow(1e9)
    this.captures.push(capture)
    this.bridge.switch.observe(capture, number === PORTS ? undefined : number)
  }

  private endCaptures(): void {
    for (const capture of this.captures.splice(0)) {
      this.bridge.switch.unobserve(capture)
      capture.free()
    }
  }

  /** Lets out what is under way, and compares. @returns what is wrong */
  settle(): string[] {
    for (let n = 1; n <= PORTS; n++) this.set(n, { impair: 'none' })
    this.endCaptures()
    const { faults, accounts } = this.ledger
    for (const [entry, { passed, dropped }] of accounts) {
      const { inFrames, outFrames, inDrops, outDrops } = entry.counters.read()
      // What comes to a port that is down is counted, and not shown.
      const unseen = inDrops['link-down'] ?? 0
      const counted = [inFrames, sum(inDrops), outFrames, sum(outDrops)].join()
      const seen = [passed[0] + dropped[0] + unseen, dropped[0] + unseen, passed[1], dropped[1]].join()
      if (counted !== seen) faults.push(`port ${entry.number} counts ${counted}, not ${seen}`)
    }
    return faults
  }
}

const sum = (drops: object): number => Object.values(drops).reduce((a: number, b: number) => a + b, 0)

it('accounts for every frame, whatever is set, comes and goes meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const model = new Model()
      try {
        for (const s of steps) model.run(s)
        expect(model.settle()).toEqual([])
      } finally {
        for (let n = 1; n <= PORTS; n++) model.bridge.switch.removeEntry(n)
        model.bridge.close()
      }
    }),
    { numRuns: 60, seed: 4 },
  )
})
