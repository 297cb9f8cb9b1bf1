import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryPort } from '#net/port/memory.ts'
import { Switch } from '#net/switch/switch.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const AGEING_MS = 10_000
const PORTS = [1, 2, 3, 4]

const port = fc.constantFrom(...PORTS)
const tags = fc.constantFrom(
  '',
  '',
  '8100.0p3',
  '8100.10',
  '8100.20',
  '88a8.10',
  '88a8.10 8100.20',
  '8100.10 8100.20',
)
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('frame' as const), port, from: fc.nat(6), to: fc.nat(7), tags }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), port, up: fc.boolean() }) },
)

/** The obvious learning switch: one map from address and VLAN to port. */
class Model {
  readonly known = new Map<string, { port: number; seen: number }>()
  readonly down = new Set<number>()
  now = 0

  wait(ms: number): void {
    this.now += ms
    for (const [key, entry] of this.known) if (this.now - entry.seen >= AGEING_MS) this.known.delete(key)
  }

  link(number: number, up: boolean): void {
    if (up) this.down.delete(number)
    else {
      this.down.add(number)
      for (const [key, entry] of this.known) if (entry.port === number) this.known.delete(key)
    }
  }

  /** @returns the ports that a frame goes to */
  frame(number: number, from: number, to: number, tagText: string): number[] {
    const vlan = /^8100\.(\d+)/.exec(tagText)?.[1] ?? '0'
    const before = this.known.get(`${from}/${vlan}`)
    if (before?.port !== number || this.now - before.seen >= 1000) {
      this.known.set(`${from}/${vlan}`, { port: number, seen: this.now })
    }
    const target = this.known.get(`${to}/${vlan}`)?.port
    const candidates = target === undefined ? PORTS : [target]
    return candidates.filter((n) => n !== number && !this.down.has(n))
  }
}

it('every frame between transparent ports arrives where a slow model says, unchanged', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const model = new Model()
      const bridge = new Switch({ name: 'lab', ageingMs: AGEING_MS })
      const ports = PORTS.map((n) => {
        const entry = bridge.addEntry(n)
        const made = new MemoryPort(entry.counters, entry)
        entry.connect(made)
        return made
      })
      for (const s of steps) {
        let frame: Uint8Array = new Uint8Array(0)
        let expected: number[] = []
        if (s.kind === 'wait') {
          model.wait(s.ms)
          bridge.tick(model.now)
        } else if (s.kind === 'link') {
          model.link(s.port, s.up)
          ports[s.port - 1]?.setUp(s.up)
        } else {
          frame = frameOf(s.to === 7 ? BROADCAST : host(s.to), host(s.from), s.tags)
          expected = model.frame(s.port, s.from, s.to, s.tags)
          ports[s.port - 1]?.inject(frame)
        }
        expect(ports.map((one) => one.take())).toEqual(
          PORTS.map((n) => (expected.includes(n) ? [frame] : [])),
        )
      }
      expect(bridge.addresses().length).toBe(model.known.size)
    }),
    { numRuns: 50 },
  )
})
