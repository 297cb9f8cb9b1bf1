import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryPort } from '#net/port/memory.ts'
import { parsePortMode, type PortMode } from '#net/switch/port-mode.ts'
import { Switch } from '#net/switch/switch.ts'
import { frameOfTags, parseTags, readTags } from '#test/conformance/tag-text.ts'
import { BROADCAST, host } from '#test/support/switch-lab.ts'

const AGEING_MS = 10_000
const PORTS = [1, 2, 3, 4]
const BODY = Uint8Array.from([0x08, 0x00, ...Array.from({ length: 46 }, (_, i) => i + 1)])

const MODES = [
  'transparent',
  'transparent',
  'access,vlan=0',
  'access,vlan=10',
  'access,vlan=100',
  'trunk',
  'trunk,native=10,tagged=20-30',
  'trunk,native=0,tagged=10+20',
  'trunk,native=10,tpid=88a8',
  'trunk,tagged=10,tpid=9200',
  'tunnel,qnq=100',
  'tunnel,qnq=100,tagged=10+20',
  'tunnel,qnq=100,strict=1,tagged=10',
  'tunnel,qnq=10,tpid=88a8',
]
const TAGS = [
  'untagged',
  'untagged',
  '8100:0/5d',
  '8100:10',
  '8100:10/3',
  '8100:20/7d',
  '8100:100/1 8100:10/2',
  '8100:100',
  '8100:4095',
  '88a8:10/4',
  '88a8:10 8100:20/6',
  '88a8:0/2 8100:10',
  '9200:10 88a8:10',
  '9100:7',
]

const port = fc.constantFrom(...PORTS)
const operation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('frame' as const),
      port,
      from: fc.nat(4),
      to: fc.nat(5),
      tags: fc.constantFrom(...TAGS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), port, up: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('mode' as const), port, mode: fc.constantFrom(...MODES) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), port }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('add' as const), port, mode: fc.constantFrom(...MODES) }),
  },
)

interface Taken {
  /** `8100:10`, or `0`. */
  readonly vlan: string
  /** Tags as they came. */
  readonly all: readonly string[]
  /** Tags without the VLAN's own one, or a priority tag in its place. */
  readonly inner: readonly string[]
  /** `/5d` of the outer tag that the port read, or nothing. */
  readonly priority: string
}

const named = (tpid: number, vid: number): string => (vid === 0 ? '0' : `${tpid.toString(16)}:${vid}`)
const contains = (set: readonly (readonly [number, number])[], vid: number): boolean =>
  set.some(([first, last]) => first <= vid && vid <= last)
const tpidOf = (mode: PortMode): number => ('tpid' in mode ? mode.tpid : 0x8100)

/** The VLAN switch as docs/switch.md tells it, frames as lists of tags. */
class Model {
  readonly modes = new Map<number, PortMode>()
  readonly down = new Set<number>()
  readonly known = new Map<string, { port: number; seen: number }>()
  readonly frames = new Map<string, number>()
  readonly drops = new Map<number, string[]>()
  now = 0

  wait(ms: number): void {
    this.now += ms
    for (const [key, entry] of this.known) if (this.now - entry.seen >= AGEING_MS) this.known.delete(key)
  }

  /** Undefined: the port goes away. */
  change(number: number, mode: PortMode | undefined): void {
    const before = this.tpids()
    if (mode === undefined) this.modes.delete(number)
    else this.modes.set(number, mode)
    this.forget(number)
    if (this.tpids() !== before) this.known.clear()
  }

  forget(number: number): void {
    for (const [key, entry] of this.known) if (entry.port === number) this.known.delete(key)
  }

  /** @returns ports and the tags that they are sent */
  frame(number: number, from: number, to: number, text: string): Map<number, string> {
    const sent = new Map<number, string>()
    const mode = this.modes.get(number)
    if (mode === undefined) return sent
    const taken = this.take(mode, text)
    if (typeof taken === 'string') {
      this.drop(number, taken)
      return sent
    }
    const { vlan } = taken
    this.frames.set(vlan, (this.frames.get(vlan) ?? 0) + 1)
    const before = this.known.get(`${from} ${vlan}`)
    if (before?.port !== number || this.now - before.seen >= 1000)
      this.known.set(`${from} ${vlan}`, { port: number, seen: this.now })
    const target = this.known.get(`${to} ${vlan}`)?.port
    for (const [other, otherMode] of this.modes) {
      if (other === number || (target !== undefined && other !== target)) continue
      const tags = this.leave(otherMode, taken)
      if (tags === 'strict') this.drop(other, 'strict')
      else if (tags !== null && this.down.has(other)) this.drop(other, 'link-down')
      else if (tags !== null) sent.set(other, tags.join(' ') || 'untagged')
    }
    return sent
  }

  /** What count as VLAN tags. */
  private tpids(): string {
    return [...new Set([0x8100, ...[...this.modes.values()].map(tpidOf)])].sort((a, b) => a - b).join()
  }

  private drop(number: number, reason: string): void {
    this.drops.set(number, [...(this.drops.get(number) ?? []), reason])
  }

  /** @returns where a frame belongs, or why it is dropped */
  private take(mode: PortMode, text: string): Taken | string {
    const all = text === 'untagged' ? [] : text.split(' ')
    const [tag] = parseTags(text).tags
    const outer = tag && (mode.kind === 'tunnel' || this.tpids().includes(`${tag.tpid}`)) ? tag : undefined
    const priority = outer === undefined ? '' : (/\/.*/.exec(all[0] ?? '')?.[0] ?? '')
    const vid = outer?.vid ?? 0
    const own = outer === undefined ? '0' : named(outer.tpid, vid)
    const inner = outer === undefined ? all : all.slice(1)
    const at = (vlan: string): Taken => ({ vlan, all, inner, priority })
    if (mode.kind === 'transparent') return at(own)
    if (mode.kind === 'access') return vid === 0 ? at(named(0x8100, mode.vlan)) : 'vlan'
    if (mode.kind === 'trunk') {
      if (vid === 0) return mode.native === null ? 'vlan' : at(named(mode.tpid, mode.native))
      const isMember = contains(mode.tagged, vid) || vid === mode.native
      return isMember && outer?.tpid === mode.tpid ? at(own) : 'vlan'
    }
    if (mode.strict && vid === 0) return 'strict'
    const isSwitched = !mode.strict && outer?.tpid === 0x8100 && contains(mode.tagged, vid)
    return isSwitched ? at(own) : { ...at(named(mode.tpid, mode.qnq)), inner: all }
  }

  /** @returns the tags that a frame leaves with, null when the port is not in its VLAN */
  private leave(mode: PortMode, { vlan, all, inner, priority }: Taken): readonly string[] | 'strict' | null {
    const tagged = [`${vlan}${/^\/0$/.test(priority) ? '' : priority}`, ...inner]
    const [tpid = '0', vid = '0'] = vlan.includes(':') ? vlan.split(':') : ['0', '0']
    if (mode.kind === 'transparent') return vlan === '0' ? all : tagged
    if (mode.kind === 'access') return vlan === named(0x8100, mode.vlan) ? inner : null
    const isTagged = (of: number): boolean => tpid === of.toString(16) && contains(mode.tagged, Number(vid))
    if (mode.kind === 'trunk') {
      if (mode.native !== null && vlan === named(mode.tpid, mode.native)) return inner
      return isTagged(mode.tpid) ? tagged : null
    }
    if (vlan !== named(mode.tpid, mode.qnq)) return !mode.strict && isTagged(0x8100) ? tagged : null
    const hasCustomerTag = inner.length > 0 && parseTags(inner.join(' ')).tags[0]?.vid !== 0
    return mode.strict && !hasCustomerTag ? 'strict' : inner
  }
}

it('frames between ports of any modes, which change, come and go, arrive where and as a slow model says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...MODES), { minLength: 4, maxLength: 4 }),
      fc.array(operation, { maxLength: 120 }),
      (modes, operations) => {
        const model = new Model()
        const bridge = new Switch({ name: 'lab', ageingMs: AGEING_MS, maxAddresses: 1024 })
        const ports = new Map<number, MemoryPort>()
        const add = (number: number, text: string): void => {
          const mode = parsePortMode(`mode=${text}`)
          const entry = bridge.addEntry(number, mode)
          const made = new MemoryPort(entry.counters, entry)
          entry.connect(made)
          ports.set(number, made)
          model.down.delete(number)
          model.drops.delete(number)
          model.change(number, mode)
        }
        modes.forEach((mode, i) => add(i + 1, mode))
        for (const op of operations) {
          let expected = new Map<number, string>()
          const entry = op.kind === 'wait' ? null : bridge.entry(op.port)
          if (op.kind === 'wait') {
            model.wait(op.ms)
            bridge.tick(model.now)
          } else if (op.kind === 'add') {
            if (entry === null) add(op.port, op.mode)
          } else if (entry !== null) {
            if (op.kind === 'remove') {
              bridge.removeEntry(op.port)
              ports.delete(op.port)
              model.change(op.port, undefined)
            } else if (op.kind === 'mode') {
              const mode = parsePortMode(`mode=${op.mode}`)
              bridge.setMode(entry, mode)
              model.change(op.port, mode)
            } else if (op.kind === 'link') {
              ports.get(op.port)?.setUp(op.up)
              if (op.up) model.down.delete(op.port)
              else {
                model.down.add(op.port)
                model.forget(op.port)
              }
            } else {
              expected = model.frame(op.port, op.from, op.to, op.tags)
              const to = op.to === 5 ? BROADCAST : host(op.to)
              ports.get(op.port)?.inject(frameOfTags(to, host(op.from), op.tags, BODY))
            }
          }
          const arrived = [...ports].flatMap(([number, made]) =>
            made.take().map((frame) => [number, readTags(frame).text] as const),
          )
          expect(arrived.sort(([a], [b]) => a - b)).toEqual([...expected].sort(([a], [b]) => a - b))
        }
        expectSameState(bridge, model)
        bridge.close()
      },
    ),
    { numRuns: 50 },
  )
})

function expectSameState(bridge: Switch, model: Model): void {
  const addresses = bridge.addresses().map(({ address, vlan, tpid, port: on }) => {
    return `${Number(`0x${address.slice(-2)}`)} ${named(tpid, vlan)} on ${on}`
  })
  expect(addresses.sort()).toEqual([...model.known].map(([key, entry]) => `${key} on ${entry.port}`).sort())
  for (const [number] of model.modes) {
    const { inDrops, outDrops } = bridge.entry(number)?.counters.read() ?? { inDrops: {}, outDrops: {} }
    const counted = [inDrops, outDrops].flatMap((drops) =>
      Object.entries(drops).flatMap(([reason, count]) => Array<string>(count).fill(reason)),
    )
    expect(counted.sort()).toEqual([...(model.drops.get(number) ?? [])].sort())
  }
  const seen = bridge.vlans().filter(({ frames }) => frames > 0)
  expect(new Map(seen.map(({ vlan, tpid, frames }) => [named(tpid, vlan), frames]))).toEqual(model.frames)
}
