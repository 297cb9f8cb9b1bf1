/** Any octets as a frame, with any virtio header, into ports of every mode: nothing throws, nothing is corrupted. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryPort } from '#net/port/memory.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { Switch } from '#net/switch/switch.ts'
import { Talkers } from '#net/talkers/talkers.ts'
import { isPlain } from '#net/wire/virtio.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const MODES = [
  'mode=transparent',
  'mode=access,vlan=10',
  'mode=trunk,native=1,tagged=10+20-29',
  'mode=trunk,tagged=all,tpid=88a8',
  'mode=tunnel,qnq=100,strict=1',
  'mode=tunnel,qnq=200,tpid=9100',
]

/** Addresses and tags that meet each other often, then anything. */
const frame = fc
  .tuple(
    fc.array(fc.constantFrom('020000000001', '020000000002', 'ffffffffffff', '0180c2000000'), {
      minLength: 2,
      maxLength: 2,
    }),
    fc.array(fc.constantFrom('8100000a', '8100e014', '88a80064', '91000064', '810000c8', '81000000'), {
      maxLength: 4,
    }),
    fc.constantFrom('0800', '86dd', '0806', '8100', '88cc', ''),
    fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 1400, maxLength: 3000 })),
  )
  .map(([addresses, tags, type, payload]) =>
    Uint8Array.from([...Buffer.from([...addresses, ...tags, type].join(''), 'hex'), ...payload]),
  )

const header = fc.record({
  flags: fc.constantFrom(0, 0, 1, 2, 3, 255),
  gsoType: fc.constantFrom(0, 0, 1, 4, 5, 0x81, 77),
  headerLength: fc.nat(0xffff),
  gsoSize: fc.oneof(fc.nat(100), fc.nat(0xffff)),
  checksumStart: fc.oneof(fc.nat(100), fc.nat(0xffff)),
  checksumOffset: fc.nat(30),
})

const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0)

it(
  'a switch takes any frames',
  () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(MODES.length - 1), fc.oneof(frame, fc.uint8Array({ maxLength: 70 })), header),
          {
            maxLength: 30,
          },
        ),
        (injected) => {
          const bridge = new Switch({ name: 'fuzz', hashSeed: 1 })
          const talkers = new Talkers(1)
          bridge.observe(talkers)
          const ports = MODES.map((mode, i) => {
            const entry = bridge.addEntry(undefined, parsePortMode(mode))
            const port = new MemoryPort(entry.counters, entry, { superFrames: i % 2 === 0, maxFrame: 1600 })
            entry.connect(port)
            return port
          })
          for (const [i, octets, fields] of injected) ports[i]?.inject(octets, fields)
          for (const port of ports) {
            if (port.superFrames) continue
            for (const sent of port.sent) expect(sent.length).toBeLessThanOrEqual(1600)
            for (const sent of port.sentHeaders) expect(isPlain(sent, sent.length)).toBe(true)
          }
          const told = talkers.read(1000)
          expect(sum(told.map(({ frames }) => frames))).toBeLessThanOrEqual(
            sum(ports.map(({ counters }) => counters.inFrames)),
          )
          expect(sum(told.map(({ octets }) => octets))).toBeLessThanOrEqual(
            sum(ports.map(({ counters }) => counters.inOctets)),
          )
          bridge.close()
        },
      ),
      budget(),
    )
  },
  TIMEOUT_MS,
)
