import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TABS } from '#net/view/controls.ts'
import { glyphsOf } from '#net/view/glyphs.ts'
import { layout } from '#net/view/layout.ts'
import type { Scene } from '#net/view/pane.ts'
import type { Snapshot } from '#net/view/source.ts'
import {
  NOW,
  link,
  makeControls,
  picture,
  port,
  sceneOf,
  snapshot,
  talker,
} from '#test/support/view-scene.ts'

const local = { name: 'this machine', isRemote: false }
const remote = { name: 'private0', isRemote: true }
const at = (second: number): Snapshot =>
  snapshot(second, [], {
    bridges: [
      {
        ...local,
        ports: [
          port(1, {
            inFrames: 1000 + 100 * second,
            inOctets: 100_000 + 10_000 * second,
            outFrames: 2,
            outOctets: 120,
            outDrops: { 'queue-full': 12, vlan: 3 },
          }),
          port(2, { outFrames: 1000, outOctets: 100_000 }, { name: 'tunnel:private0', up: false }),
        ],
      },
      { ...remote, ports: [port(1, {}, { name: 'nic:lan', description: 'the lab' })] },
    ],
    talkers: [talker('52:54:00:00:00:01', { octets: 1000 * second, frames: 10 * second, vlan: 7 })],
  })

const events = [{ time: NOW - 1000, text: 'connected to 192.0.2.1' }]
const scene = (more: Partial<Scene> = {}): Scene => sceneOf([at(1), at(2)], { events, ...more })

describe('the overview', () => {
  it('has everything important at 80x24', () => {
    expect(picture(scene(), 80, 24).join('\n')).toMatchInlineSnapshot(`
      " hconnect 0.1.0 [1 Overview] 2 Ports  3 Links  4 Talkers  5 Events     12:03:04
      connected to 192.0.2.1, bridge private0  up 01:02:03
      RTT 12.3 ms   reconnects 2   since 11:01:01
      ── Ports ─────────────────────────────────────────────────── by number, bit/s ──
          # port                       in pkts   in bit/s  out pkts  out bit/s   drops
      this machine
      ▶   1 nic:eth1            up        1200     80.0 k         2        0        15
          2 tunnel:private0     DOWN         0        0        1000        0         0
      private0, at the hub
          1 nic:lan  the lab    up           0        0           0        0         0
      ── 1 nic:eth1 ───────────────────────────────────────────── last 5 min, bit/s ──
      in                                                             ▆  peak   80.0 k
      out                                                               peak      0
      drops: out queue-full 12, vlan 3

      ── Talkers ─────────────────────────────────────────────────── by rate, bit/s ──
        address           VLAN bridge                port    packets    bytes    bit/s
        52:54:00:00:00:01    7 private0                 1         20   2.00 k   8.00 k

      ── Events ──────────────────────────────────────────────────────────────────────
      12:03:03 connected to 192.0.2.1


      ? help  q quit  s sort  / find  f freeze  r reset  u unit  c capture  i impair"
    `)
  })

  it('has the figures of a port in one row, with reasons, at 200x50', () => {
    const rows = picture(scene(), 200, 50)
    expect(rows.find((row) => row.includes('nic:eth1'))).toMatch(
      /^▶ {3}1 nic:eth1 +up +1200 +120 k +100 +80\.0 k +0 +2 +120 +0 +0 +15 +out queue-full 12, vlan 3$/,
    )
    expect(rows.filter((row) => /── Talkers .*── Events/.test(row)).length).toBe(1)
    expect(rows.filter((row) => row.startsWith('in ') && row.includes('peak')).length).toBe(1)
  })

  it('keeps connection, ports and keys at 40x10', () => {
    expect(picture(scene(), 40, 10).join('\n')).toMatchInlineSnapshot(`
      " hconnect 0.1.0 [1 Overview]   12:03:04
      connected to 192.0.2.1, bridge private0
      RTT 12.3 ms   reconnects 2   since 11:01
      ── Ports ─────────── by number, bit/s ──
        port               in bit/s  out bit/s
      this machine
      ▶ nic:eth1    up       80.0 k        0
        tunnel:pri… DOWN        0          0
      private0, at the hub
      ? help  q quit  s sort  / find  f free…"
    `)
  })

  it('says since when there is no connection, the attempt, and the whole reason', () => {
    const reason = `cannot reach the hub hub.example:2222: ${'connection refused '.repeat(4)}`
    const links = [link({ state: 'disconnected', since: NOW - 60_000, attempt: 7, reason })]
    const rows = picture(sceneOf([{ ...at(1), links }]), 80, 24)
    expect(rows[1]).toBe('DISCONNECTED since 12:02:04, attempt 7   192.0.2.1   reconnects 2')
    expect(`${rows[2]}${rows[3]}`).toBe(reason.trimEnd())
  })

  it('sums the connections of a hub up', () => {
    const links = [link(), link({ name: 'b' }), link({ name: 'c', state: 'disconnected' })]
    expect(picture(sceneOf([{ ...at(1), links }]), 80, 24)[1]).toBe('3 connections: 2 connected, 1 not')
  })

  it('scrolls to the selected port', () => {
    const controls = makeControls()
    const ports = Array.from({ length: 100 }, (_, i) => port(i + 1))
    const many = sceneOf([snapshot(1, ports)], { controls })
    controls.press({ name: 'end', text: '' }, many.reading)
    expect(picture(many, 80, 24).some((row) => row.startsWith('▶ 100 nic:eth100 '))).toBe(true)
  })
})

describe('other pictures', () => {
  it.each([
    ['Links', /^bridge private0 +192\.0\.2\.1 +connected +01:02:03 +12\.3 ms +2$/],
    ['Talkers', /^ {2}52:54:00:00:00:01 +7 +private0 +1 +20 +2\.00 k +8\.00 k$/],
    ['Events', /^12:03:03 connected to 192\.0\.2\.1$/],
    ['Ports', /^out .* peak/],
  ] as const)('%s', (tab, row) => {
    const controls = makeControls()
    controls.tab = tab
    const rows = picture(scene({ controls }), 80, 24)
    expect(rows[0]).toContain(`[${TABS.indexOf(tab) + 1} ${tab}]`)
    expect(rows.join('\n')).toMatch(new RegExp(row.source, 'm'))
  })

  it('scrolls within what there is', () => {
    const controls = makeControls()
    controls.tab = 'Events'
    const many = Array.from({ length: 100 }, (_, i) => ({ time: NOW, text: `event ${i}` }))
    const top = (name: string): string => {
      controls.press({ name, text: '' }, scene().reading)
      return picture(scene({ controls, events: many }), 80, 24)[2] ?? ''
    }
    expect(['down', 'end', 'up', 'home'].map((name) => top(name).slice(9))).toEqual([
      'event 98',
      'event 20',
      'event 21',
      'event 99',
    ])
  })

  it('the help says every key', () => {
    const controls = makeControls()
    controls.press({ name: '?', text: '?' }, scene().reading)
    const text = picture(scene({ controls }), 80, 24).join('\n')
    for (const keys of [
      's, S',
      '/',
      'f, space',
      'r',
      'u',
      'c',
      'i',
      'q, Ctrl-C',
      'Ctrl-L',
      'Esc',
      'PgUp, PgDn',
    ])
      expect(text).toMatch(new RegExp(`^${keys} `, 'm'))
  })

  it('FROZEN stands in the first row at any width', () => {
    const controls = makeControls()
    controls.isFrozen = true
    for (const width of [40, 80, 200])
      expect(picture(scene({ controls }), width, 10)[0]).toMatch(/FROZEN 12:03:04$/)
  })

  it('the last row asks, tells, and says what cannot be read', () => {
    const controls = makeControls()
    const last = (more: Partial<Scene> = {}): string =>
      picture(scene({ controls, ...more }), 80, 24).at(-1) ?? ''
    expect(last()).toBe('? help  q quit  s sort  / find  f freeze  r reset  u unit  c capture  i impair')
    expect(last({ error: 'no answer' })).toBe('cannot read: no answer')
    controls.message = 'done'
    expect(last()).toBe('done')
    controls.press({ name: 'i', text: 'i' }, scene().reading)
    for (const text of 'loss=1%') controls.press({ name: text, text }, scene().reading)
    expect(last()).toMatch(/^Impair nic:eth1 .*: loss=1%_$/)
  })
})

const anyText = fc.string({ unit: 'binary', maxLength: 60 })
const anyCount = fc.double({ min: 0, max: 1e18, noNaN: true })
const anyCounters = fc.record({
  inFrames: anyCount,
  inOctets: anyCount,
  outFrames: anyCount,
  outOctets: anyCount,
  inDrops: fc.record({ vlan: anyCount, delay: anyCount }, { requiredKeys: [] }),
  outDrops: fc.record({ stp: anyCount, 'queue-full': anyCount }, { requiredKeys: [] }),
})
const anyPort = fc.record({
  id: fc.constantFrom('1', '2', '3', '4', '5'),
  number: fc.nat(70_000),
  name: anyText,
  description: anyText,
  up: fc.boolean(),
  counters: anyCounters,
})
const anyLink = fc.record({
  name: anyText,
  address: anyText,
  state: fc.constantFrom('connecting' as const, 'connected' as const, 'disconnected' as const),
  since: fc.option(anyCount, { nil: undefined }),
  roundTripMs: fc.option(anyCount, { nil: undefined }),
  reconnects: fc.nat(),
  attempt: fc.nat(),
  reason: anyText,
})
const anyTalker = fc.record({
  address: anyText,
  vlan: fc.nat(4095),
  bridge: anyText,
  port: fc.nat(70_000),
  frames: anyCount,
  octets: anyCount,
})
const anySnapshot: fc.Arbitrary<Snapshot> = fc.record({
  at: fc.nat(1e9),
  links: fc.array(anyLink, { maxLength: 3 }),
  bridges: fc.array(
    fc.record({ name: anyText, isRemote: fc.boolean(), ports: fc.array(anyPort, { maxLength: 6 }) }),
    { maxLength: 3 },
  ),
  talkers: fc.option(fc.array(anyTalker, { maxLength: 5 }), { nil: undefined }),
})
const KEYS = [
  '1',
  '2',
  '3',
  '4',
  '5',
  '?',
  's',
  'S',
  '/',
  'escape',
  'f',
  'r',
  'u',
  'c',
  'i',
  'q',
  'x',
  'end',
  'up',
]

describe('any snapshot', () => {
  it('is as many rows of as many columns as the terminal has, of harmless text', () => {
    const anyScene = fc.record({
      snapshots: fc.array(anySnapshot, { minLength: 1, maxLength: 3 }),
      keys: fc.array(fc.constantFrom(...KEYS), { maxLength: 8 }),
      width: fc.oneof(fc.integer({ min: 1, max: 250 }), fc.constantFrom(40, 80, 130, 200)),
      height: fc.integer({ min: 1, max: 60 }),
      isUtf8: fc.boolean(),
    })
    fc.assert(
      fc.property(anyScene, ({ snapshots, keys, width, height, isUtf8 }) => {
        const controls = makeControls()
        const one = sceneOf(snapshots, { controls, events, glyphs: glyphsOf(isUtf8) })
        for (const key of keys) controls.press({ name: key, text: key.length === 1 ? key : '' }, one.reading)
        const rows = layout(one, width, height)
        expect(rows.length).toBe(height)
        for (const row of rows) {
          const text = row.map((part) => part.text).join('')
          expect(text.length).toBe(width)
          expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{M}\p{Surrogate}]/u)
        }
      }),
    )
  })
})
