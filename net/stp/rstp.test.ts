import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBpdu, type Bpdu } from '#net/stp/bpdu.ts'
import { bridgeId } from '#net/stp/priority.ts'
import type { Action } from '#net/stp/state.ts'
import { rootTimes } from '#net/stp/times.ts'
import { BRIDGE, PORT, RstpLab } from '#test/support/rstp-lab.ts'

/** Longest time that anything takes in these labs: Max Age, and two Forward Delays (17.14). */
const BOUND_MS = (20 + 2 * 15 + 2) * 1000

const same = (n: number): RstpLab => new RstpLab(Array<number>(n).fill(32_768))

function ring(n: number): RstpLab {
  const lab = same(n)
  for (let i = 0; i < n; i++)
    lab.join([
      [i, 1],
      [(i + 1) % n, 2],
    ])
  return lab
}

/** Port `i` of bridge `j` leads to bridge `i`, from 1. */
function mesh(n: number): RstpLab {
  const lab = same(n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++)
      lab.join([
        [i, j + 1],
        [j, i + 1],
      ])
  return lab
}

const rolesOf = (lab: RstpLab, bridge: number): string[] =>
  [...lab.bridge(bridge).bridge.ports.values()].map(({ role }) => role)

/** What one bridge sent last on a port. */
function lastSent(lab: RstpLab, bridge: number, port: number): Bpdu | null {
  const sent = lab.sent.filter((one) => one.bridge === bridge && one.port === port).at(-1)
  return sent === undefined ? null : decodeBpdu(sent.frame, 0, sent.frame.length)
}

describe('a ring', () => {
  it.each([3, 4, 5, 8, 12, 16])('of %i converges, and heals wherever it is cut, without a loop', (n) => {
    const lab = ring(n)
    lab.run(10_000)
    expect(lab.faults()).toEqual([])
    // By agreements alone; in a long one some neighbours have said all that they may in a second.
    const start = lab.settledAfter(0)
    expect(start).toBeLessThan(6000)
    expect(lab.ends.filter(({ state }) => state === 'discarding').length).toBe(1)
    let cut = 0
    let back = 0
    for (let segment = 0; segment < n; segment++) {
      for (const isUp of [false, true]) {
        const since = lab.now
        lab.setSegment(segment, isUp)
        lab.run(10_000)
        expect(lab.faults()).toEqual([])
        if (isUp) back = Math.max(back, lab.settledAfter(since))
        else cut = Math.max(cut, lab.settledAfter(since))
      }
    }
    console.info(`ring of ${n}: start ${start} ms, cut ${cut} ms, joined again ${back} ms at most`)
    expect(Math.max(cut, back)).toBeLessThan(1000)
  })

  it('goes over to the other way when BPDUs are lost in silence: three hello times', () => {
    const lab = ring(3)
    lab.run(10_000)
    // Between the root and bridge 1: bridge 1 hears of the root by bridge 2 from then on.
    lab.silent.add(0)
    const took = lab.runUntil(() => lab.role(1, 1) === 'root' && lab.end(1, 1).state === 'forwarding')
    console.info(`silence is noticed and mended in ${took} ms`)
    expect(took).toBeGreaterThan(4000 - 10)
    expect(took).toBeLessThan(3 * 2000 + 100)
    lab.run(20_000)
    expect(rolesOf(lab, 1)).toEqual(['root', 'designated'])
    expect(lab.loops).toEqual([])
  })
})

describe('a full mesh', () => {
  it.each([4, 6])('of %i is a tree, without its root too', (n) => {
    const lab = mesh(n)
    lab.run(10_000)
    expect(lab.faults()).toEqual([])
    const start = lab.settledAfter(0)
    for (let i = 1; i < n; i++) lab.setSegment((i * (i - 1)) / 2, false)
    const since = lab.now
    lab.run(BOUND_MS)
    // The old root, alone, is one of its own.
    expect(lab.faults()).toEqual([])
    console.info(`mesh of ${n}: start ${start} ms, without its root ${lab.settledAfter(since)} ms`)
    expect(lab.settledAfter(since)).toBeLessThan(BOUND_MS)
  })
})

describe('roles', () => {
  it('follow priority and cost, live', () => {
    const lab = ring(3)
    lab.run(10_000)
    expect(lab.bridge(2).bridge.rootPort).toBe(1)
    expect(rolesOf(lab, 0)).toEqual(['designated', 'designated'])
    // Bridge 2 becomes the root.
    lab.act(2, (rstp, now) => rstp.setBridge({ ...BRIDGE, priority: 4096 }, now))
    lab.run(10_000)
    expect(lab.faults()).toEqual([])
    expect(lab.bridge(0).bridge.rootPriority.root).toBe(bridgeId(4096, 0x0200_0000_0003n))
    expect(rolesOf(lab, 2)).toEqual(['designated', 'designated'])
    // The direct way from bridge 0 becomes dear: it goes by bridge 1.
    lab.act(0, (rstp, now) => rstp.setPort(2, { ...PORT, pathCost: 200_000 }, now))
    lab.run(10_000)
    expect(lab.faults()).toEqual([])
    expect(lab.bridge(0).bridge).toMatchObject({ rootPort: 1, rootPriority: { cost: 40_000 } })
    expect(rolesOf(lab, 0)).toEqual(['root', 'alternate'])
  })

  it('between equal links follow port priority and number', () => {
    const lab = same(2)
    lab.join([
      [0, 1],
      [1, 1],
    ])
    lab.join([
      [0, 2],
      [1, 2],
    ])
    lab.run(10_000)
    expect(rolesOf(lab, 1)).toEqual(['root', 'alternate'])
    lab.act(0, (rstp, now) => rstp.setPort(2, { ...PORT, priority: 16 }, now))
    lab.run(10_000)
    expect(rolesOf(lab, 1)).toEqual(['alternate', 'root'])
    expect(lab.faults()).toEqual([])
  })

  it('on shared media are one designated, the own second port a backup that takes over', () => {
    const lab = same(3)
    lab.join([
      [0, 1],
      [0, 2],
      [1, 1],
      [2, 1],
    ])
    lab.run(BOUND_MS)
    expect(lab.faults()).toEqual([])
    expect([rolesOf(lab, 0), rolesOf(lab, 1), rolesOf(lab, 2)]).toEqual([
      ['designated', 'backup'],
      ['root'],
      ['root'],
    ])
    const since = lab.now
    lab.setLink(lab.end(0, 1), false)
    lab.run(BOUND_MS)
    expect(rolesOf(lab, 0)).toEqual(['disabled', 'designated'])
    expect(lab.faults()).toEqual([])
    expect(lab.settledAfter(since)).toBeLessThan(3 * 2000 + 2 * 15_000)
  })

  it('change as ports come and go while it runs', () => {
    const lab = same(2)
    lab.join([
      [0, 1],
      [1, 1],
    ])
    lab.run(5000)
    lab.act(1, (rstp, now) => rstp.removePort(1, now))
    expect(lab.bridge(1).bridge).toMatchObject({ rootPort: 0, rootPriority: { cost: 0 } })
    lab.act(1, (rstp, now) => rstp.addPort(1, PORT, now))
    lab.setLink(lab.end(1, 1), true)
    lab.run(5000)
    expect(lab.faults()).toEqual([])
    expect(lab.bridge(1).bridge.rootPort).toBe(1)
  })
})

describe('an edge', () => {
  it('forwards at once where it is set, after 3 s where it is found, after 22 s where it may not be one', () => {
    for (const [edge, atMs] of [
      ['yes', 0],
      ['auto', 3000],
      ['no', 22_000],
    ] as const) {
      const lab = same(1)
      lab.join([[0, 1]], { edge })
      lab.run(60_000)
      expect([edge, lab.changedAt, lab.end(0, 1).state]).toEqual([edge, atMs, 'forwarding'])
      // Hosts come and go without a topology change.
      const changes = lab.bridge(0).bridge.topologyChanges
      lab.setSegment(0, false)
      lab.setSegment(0, true)
      lab.run(60_000)
      expect(lab.bridge(0).bridge.topologyChanges - changes).toBe(edge === 'no' ? 1 : 0)
    }
  })

  it('is none any more when a bridge is heard', () => {
    const lab = same(2)
    lab.join(
      [
        [0, 1],
        [1, 1],
      ],
      { edge: 'yes' },
    )
    lab.join(
      [
        [0, 2],
        [1, 2],
      ],
      { edge: 'yes' },
    )
    lab.run(5000)
    expect(lab.ends.map(({ state }) => state).filter((state) => state === 'discarding').length).toBe(1)
    expect(lab.bridge(0).bridge.ports.get(1)?.operEdge).toBe(false)
  })

  it('never is a port that hears itself: it stays closed', () => {
    const lab = same(1)
    lab.join([[0, 1]], { edge: 'auto' })
    const states = new Set<string>()
    const echo = (actions: readonly Action[]): void => {
      for (const action of actions) {
        if (action.kind === 'state') states.add(action.state)
        const bpdu = action.kind === 'send' ? decodeBpdu(action.frame, 0, action.frame.length) : null
        if (bpdu !== null) echo(lab.bridge(0).receive(1, bpdu, lab.now))
      }
    }
    for (let i = 0; i < 600; i++) {
      lab.now += 100
      echo(lab.bridge(0).tick(lab.now))
    }
    expect(lab.bridge(0).bridge.ports.get(1)?.rcvdBpdus).toBeGreaterThan(20)
    expect(states).not.toContain('forwarding')
  })
})

describe('a topology change', () => {
  it('makes every other bridge forget, on the ports that it is not told by', () => {
    const lab = ring(4)
    lab.run(20_000)
    lab.flushes = []
    const before = lab.bridges.map((rstp) => rstp.bridge.topologyChanges)
    const since = lab.now
    lab.setSegment(0, false)
    lab.run(5000)
    expect(new Set(lab.flushes.map(({ bridge }) => bridge))).toEqual(new Set([0, 1, 2, 3]))
    for (const [i, rstp] of lab.bridges.entries()) {
      const first = lab.flushes.find(({ bridge }) => bridge === i)?.at ?? Infinity
      expect(first - since).toBeLessThan(100)
      expect(rstp.bridge.topologyChanges).toBeGreaterThan(before[i] ?? 0)
    }
    // It is told for one hello time and a second, not for ever.
    lab.run(10_000)
    expect(lastSent(lab, 0, 2)?.topologyChange).toBe(false)
    const told = lab.sent.filter(({ frame }) => decodeBpdu(frame, 0, frame.length)?.topologyChange === true)
    expect(told.length).toBeGreaterThan(3)
    expect(Math.max(...told.map(({ at }) => at)) - since).toBeLessThan(2000 + 2 * 3000)
  })
})

describe('an STP neighbour', () => {
  const config: Bpdu = {
    type: 'config',
    role: 'designated',
    topologyChange: false,
    topologyChangeAck: false,
    proposal: false,
    agreement: false,
    learning: false,
    forwarding: false,
    priority: { root: 1n, cost: 4, bridge: bridgeId(32_768, 0x0200_0000_00ffn), port: 0x8001 },
    times: rootTimes(2, 20, 15),
  }

  it('as the root is spoken to in STP, with its timers, and of a change by TCN', () => {
    const lab = same(1)
    lab.join([[0, 1]])
    lab.join([[0, 2]], { edge: 'yes' })
    lab.run(4000)
    const since = lab.now
    // The way to the root may be taken at once (17.29.2); a change is told in its language.
    for (let i = 0; i < 20; i++) {
      lab.act(0, (rstp, now) => rstp.receive(1, config, now))
      lab.run(2000)
    }
    expect(rolesOf(lab, 0)).toEqual(['root', 'designated'])
    expect(lab.bridge(0).bridge.ports.get(1)).toMatchObject({ sendRstp: false, forwarding: true })
    const types = lab.sent
      .filter(({ at, port }) => at > since + 3000 && port === 1)
      .map(({ frame }) => decodeBpdu(frame, 0, frame.length)?.type)
    expect(new Set(types)).toEqual(new Set(['tcn']))
    // The acknowledgement ends it.
    lab.act(0, (rstp, now) => rstp.receive(1, { ...config, topologyChangeAck: true }, now))
    const sent = lab.sent.length
    lab.act(0, (rstp, now) => rstp.receive(1, config, now))
    lab.run(1900)
    lab.act(0, (rstp, now) => rstp.receive(1, config, now))
    lab.run(3000)
    expect(lab.sent.slice(sent).filter(({ port }) => port === 1)).toEqual([])
    expect(lastSent(lab, 0, 2)).toMatchObject({ type: 'rst', times: { messageAge: 256 } })
  })

  it('below is waited for twice the forward delay, and its TCN is acknowledged', () => {
    const lab = same(1)
    lab.join([[0, 1]])
    lab.run(4000)
    const since = lab.now
    const worse = { ...config, priority: { ...config.priority, root: bridgeId(61_440, 1n) } }
    lab.act(0, (rstp, now) => rstp.receive(1, worse, now))
    lab.run(60_000)
    expect(lab.settledAfter(since)).toBeGreaterThan(20_000)
    expect(lab.settledAfter(since)).toBeLessThan(2 * 15_000 + 5000)
    expect(lastSent(lab, 0, 1)).toMatchObject({ type: 'config', topologyChangeAck: false })
    lab.act(0, (rstp, now) => rstp.receive(1, { ...config, type: 'tcn', role: 'unknown' }, now))
    lab.run(2000)
    const acks = lab.sent
      .map(({ frame }) => decodeBpdu(frame, 0, frame.length))
      .filter((bpdu) => bpdu?.topologyChangeAck === true)
    expect(acks.length).toBe(1)
  })

  it('that speaks RSTP after all is spoken to in RSTP, or when it is asked for', () => {
    const lab = same(2)
    lab.join([
      [0, 1],
      [1, 1],
    ])
    lab.act(1, (rstp, now) => rstp.receive(1, config, now))
    lab.run(3500)
    lab.act(1, (rstp, now) => rstp.receive(1, config, now))
    expect(lab.bridge(1).bridge.ports.get(1)?.sendRstp).toBe(false)
    lab.run(10_000)
    expect(lab.bridge(1).bridge.ports.get(1)?.sendRstp).toBe(true)
    lab.run(10_000)
    lab.act(1, (rstp, now) => rstp.receive(1, config, now))
    expect(lab.bridge(1).bridge.ports.get(1)?.sendRstp).toBe(false)
    lab.act(1, (rstp, now) => rstp.checkMigration(1, now))
    expect(lab.bridge(1).bridge.ports.get(1)?.sendRstp).toBe(true)
  })
})

describe('bounds', () => {
  it('six BPDUs a second on a port, whatever it hears', () => {
    const lab = same(1)
    lab.join([[0, 1]])
    lab.run(10_000)
    const before = lab.sent.length
    for (let i = 0; i < 1000; i++) {
      lab.act(0, (rstp, now) =>
        rstp.receive(
          1,
          {
            type: 'rst',
            role: 'designated',
            topologyChange: i % 2 === 0,
            topologyChangeAck: false,
            proposal: true,
            agreement: false,
            learning: false,
            forwarding: false,
            priority: { root: BigInt(2000 - i), cost: 1, bridge: BigInt(2000 - i), port: 0x8001 },
            times: rootTimes(2, 20, 15),
          },
          now,
        ),
      )
      lab.run(10)
    }
    expect(lab.sent.length - before).toBeLessThanOrEqual(6 + 10)
  })

  it('information goes so many bridges far as Max Age has seconds', () => {
    const n = 9
    const lab = same(n)
    lab.act(0, (rstp, now) => rstp.setBridge({ ...BRIDGE, maxAge: 6 }, now))
    for (let i = 0; i + 1 < n; i++)
      lab.join([
        [i, 1],
        [i + 1, 2],
      ])
    lab.run(60_000)
    const roots = lab.bridges.map((rstp) => Number(rstp.bridge.rootPriority.root & 0xffn))
    expect(roots.slice(0, 7)).toEqual([1, 1, 1, 1, 1, 1, 1])
    expect(roots.slice(7)).not.toContain(1)
  })
})

/** Bridges, and segments between them; the fuzzer's numbers are taken modulo what there is. */
const topology = (mostMembers: number) =>
  fc.record({
    priorities: fc.array(fc.nat(3), { minLength: 2, maxLength: 6 }),
    segments: fc.array(
      fc.record({
        members: fc.array(fc.nat(5), { minLength: 2, maxLength: mostMembers }),
        cost: fc.constantFrom(2000, 20_000, 200_000),
      }),
      { minLength: 1, maxLength: 10 },
    ),
    events: fc.array(
      fc.record({
        kind: fc.constantFrom('down' as const, 'up' as const, 'priority' as const, 'cost' as const),
        which: fc.nat(100),
        value: fc.nat(15),
        afterMs: fc.constantFrom(0, 1, 5, 100, 3000, 20_000),
      }),
      { maxLength: 6 },
    ),
    delays: fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 20 }),
  })
type Topology = typeof topology extends (n: number) => fc.Arbitrary<infer T> ? T : never

function build({ priorities, segments, delays }: Topology): RstpLab {
  const lab = new RstpLab(priorities.map((priority) => priority * 4096))
  let turn = 0
  lab.delay = () => delays[turn++ % delays.length] ?? 1
  const ports = priorities.map(() => 0)
  for (const { members, cost } of segments)
    lab.join(
      members.map((member) => {
        const bridge = member % priorities.length
        const port = (ports[bridge] ?? 0) + 1
        ports[bridge] = port
        return [bridge, port] as const
      }),
      { pathCost: cost },
    )
  return lab
}

function play(lab: RstpLab, { events, segments }: Topology): void {
  for (const { kind, which, value, afterMs } of events) {
    lab.run(afterMs)
    const end = lab.ends[which % lab.ends.length]
    if (end === undefined) continue
    if (kind === 'down' || kind === 'up') lab.setSegment(which % segments.length, kind === 'up')
    else if (kind === 'priority')
      lab.act(end.bridge, (rstp, now) => rstp.setBridge({ ...BRIDGE, priority: value * 4096 }, now))
    else
      lab.act(end.bridge, (rstp, now) => {
        const settings = rstp.bridge.ports.get(end.port)?.settings ?? PORT
        return rstp.setPort(end.port, { ...settings, pathCost: 200 + value * 10_000 }, now)
      })
  }
}

const RUNS = { numRuns: 60, seed: 41 }

describe('random topologies', () => {
  it('of links between two bridges become a tree at their start, and are never a loop', () => {
    fc.assert(
      fc.property(topology(2), (plan) => {
        const lab = build(plan)
        lab.run(30_000)
        expect(lab.faults()).toEqual([])
      }),
      RUNS,
    )
  })

  it.each([
    ['links', 2],
    ['shared media', 4],
  ])(
    'of %s become a tree again after whatever happens, and stay it',
    (_, members) => {
      fc.assert(
        fc.property(topology(members), (plan) => {
          const lab = build(plan)
          play(lab, plan)
          // Information of a root that is gone may go round until it is too old (Max Age), and is waited for then.
          lab.run(2 * BOUND_MS)
          // It may open a loop for moments meanwhile, as the protocol's designers know: loop protection is for that.
          lab.loops = []
          expect(lab.faults()).toEqual([])
          const settled = lab.changedAt
          lab.run(10_000)
          expect(lab.changedAt).toBe(settled)
          expect(lab.faults()).toEqual([])
        }),
        RUNS,
      )
    },
    60_000,
  )
})
