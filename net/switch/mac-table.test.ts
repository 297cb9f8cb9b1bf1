import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressText, CONFIRM_MS, DEFAULT_AGEING_MS, MacTable } from '#net/switch/mac-table.ts'
import { putU16, putU32 } from '#net/wire/octets.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = new Uint8Array(6)
/** Octets of the unicast address number `n`. */
function address(n: number): Uint8Array {
  putU16(octets, 0, 0x0200 + Math.floor(n / 2 ** 32))
  putU32(octets, 2, n >>> 0)
  return octets
}
const learn = (table: MacTable, n: number, port: number, now: number, vlan = 0): number =>
  table.learn(address(n), 0, vlan, port, now)
const lookup = (table: MacTable, n: number, vlan = 0): number => table.lookup(address(n), 0, vlan)
/** Learns an address and sees it again long enough afterwards. */
function learnStable(table: MacTable, n: number, port: number, now: number): void {
  learn(table, n, port, now)
  learn(table, n, port, now + CONFIRM_MS)
}

describe('MacTable', () => {
  it('knows an address on its port, per VLAN', () => {
    const table = new MacTable()
    learn(table, 1, 3, 0, 10)
    expect([lookup(table, 1, 10), lookup(table, 1, 11), lookup(table, 2, 10)]).toEqual([3, 0, 0])
    learn(table, 1, 4, 0, 11)
    expect([lookup(table, 1, 10), lookup(table, 1, 11), table.size]).toEqual([3, 4, 2])
  })

  it('moves the address when it appears on another port', () => {
    const table = new MacTable()
    learnStable(table, 1, 3, 0)
    expect(learn(table, 1, 3, 1500)).toBe(0)
    expect(learn(table, 1, 4, 2000)).toBe(3)
    expect([lookup(table, 1), table.size, table.count(3), table.count(4)]).toEqual([4, 1, 0, 1])
    expect(table.entries(2500)).toEqual([
      { address: '02:00:00:00:00:01', vlan: 0, port: 4, ageMs: 500, stable: false, slot: expect.any(Number) },
    ])
  })

  it('tells who watches of each entry that comes or goes', () => {
    const table = new MacTable({ capacity: 2 })
    const told: string[] = []
    table.watcher = {
      learnt: (high, low, vlan, port) => told.push(`+ ${addressText(high, low)} ${vlan} ${port}`),
      forgotten: (high, low, vlan, port) => told.push(`- ${addressText(high, low)} ${vlan} ${port}`),
    }
    const take = (): string[] => told.splice(0)
    learnStable(table, 1, 3, 0)
    expect(take()).toEqual(['+ 02:00:00:00:00:01 0 3'])
    learn(table, 1, 4, 0)
    expect(take()).toEqual(['- 02:00:00:00:00:01 0 3', '+ 02:00:00:00:00:01 0 4'])
    learn(table, 0xffff_ffff, 4, 0, 0x1_00a)
    learn(table, 2, 5, 0)
    expect(take()).toEqual([
      '+ 02:00:ff:ff:ff:ff 4106 4',
      '- 02:00:00:00:00:01 0 4',
      '+ 02:00:00:00:00:02 0 5',
    ])
    table.age(DEFAULT_AGEING_MS, 10)
    expect(take()).toEqual(['- 02:00:ff:ff:ff:ff 4106 4', '- 02:00:00:00:00:02 0 5'])
    table.watcher = null
    learn(table, 1, 3, 0)
    expect(take()).toEqual([])
  })

  it('never learns a group address', () => {
    const table = new MacTable()
    for (const first of [0x01, 0x03, 0x33, 0xff]) {
      table.learn(Uint8Array.of(first, 0, 0, 0, 0, 1), 0, 0, 1, 0)
    }
    expect(table.size).toBe(0)
  })

  it('ages an address out 300 s after it was last seen, within the bound on work', () => {
    const table = new MacTable()
    for (let n = 0; n < 10; n++) learn(table, n, 1, n)
    learn(table, 0, 1, 5000)
    expect(table.age(DEFAULT_AGEING_MS, 100)).toBe(0)
    expect(table.age(DEFAULT_AGEING_MS + 4, 2)).toBe(2)
    expect(table.age(DEFAULT_AGEING_MS + 4, 100)).toBe(2)
    expect([lookup(table, 4), lookup(table, 5), lookup(table, 0), table.size]).toEqual([0, 1, 1, 6])
    expect(table.age(DEFAULT_AGEING_MS + 5000, 100)).toBe(6)
  })

  it('forgets one port', () => {
    const table = new MacTable()
    for (let n = 0; n < 10; n++) learnStable(table, n, 1 + (n % 2), 0)
    learn(table, 10, 1, 0)
    expect(table.flushPort(1)).toBe(6)
    expect([lookup(table, 0), lookup(table, 1), lookup(table, 10), table.size]).toEqual([0, 2, 0, 5])
    table.clear()
    expect(table.size).toBe(0)
  })

  it('finds what it should, whatever happened before', () => {
    const op = fc.record({
      kind: fc.constantFrom('learn', 'learn', 'learn', 'learn', 'flush', 'age', 'wait'),
      n: fc.nat(30),
      vlan: fc.nat(1),
      port: fc.integer({ min: 1, max: 3 }),
      wait: fc.nat(700),
    })
    fc.assert(
      fc.property(fc.array(op, { maxLength: 200 }), fc.integer(), (ops, seed) => {
        const ageingMs = 2000
        const table = new MacTable({ capacity: 64, ageingMs, seed, maxPort: 3 })
        const model = new Map<string, { port: number; seen: number }>()
        let now = 0
        for (const { kind, n, vlan, port, wait } of ops) {
          if (kind === 'wait') now += wait
          else if (kind === 'learn') {
            learn(table, n, port, now, vlan)
            const known = model.get(`${n}/${vlan}`)
            if (known === undefined || known.port !== port || now - known.seen >= CONFIRM_MS) {
              model.set(`${n}/${vlan}`, { port, seen: now })
            }
          } else if (kind === 'flush') {
            table.flushPort(port)
            for (const [key, entry] of model) if (entry.port === port) model.delete(key)
          } else {
            table.age(now, 1000)
            for (const [key, entry] of model) if (now - entry.seen >= ageingMs) model.delete(key)
          }
        }
        for (let n = 0; n <= 30; n++) {
          for (let vlan = 0; vlan <= 1; vlan++) {
            expect(lookup(table, n, vlan)).toBe(model.get(`${n}/${vlan}`)?.port ?? 0)
          }
        }
        expect(table.size).toBe(model.size)
        expect(table.entries(now).length).toBe(model.size)
        expect([1, 2, 3].reduce((sum, port) => sum + table.count(port), 0)).toBe(model.size)
      }),
    )
  })

  it('stays whole while it is full', () => {
    const op = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 4 }), fc.nat(400))
    fc.assert(
      fc.property(fc.array(op, { maxLength: 400 }), (ops) => {
        const table = new MacTable({ capacity: 16, seed: 1, maxPort: 4 })
        const last = new Map<number, number>()
        let now = 0
        for (const [n, port, wait] of ops) {
          now += wait
          learn(table, n, port, now)
          last.set(n, port)
        }
        expect(table.size).toBeLessThanOrEqual(16)
        const entries = table.entries(now)
        expect(entries.length).toBe(table.size)
        let known = 0
        for (let n = 0; n <= 60; n++) {
          const port = lookup(table, n)
          if (port === 0) continue
          known++
          expect(port).toBe(last.get(n))
        }
        expect(known).toBe(table.size)
      }),
    )
  })
})

describe('MacTable when full', () => {
  it('a flood of random sources evicts no stable entry, and nothing of another port', () => {
    const table = new MacTable({ capacity: 4096 })
    for (let n = 0; n < 1000; n++) learnStable(table, n, 1, 0)
    for (let n = 1000; n < 1500; n++) learnStable(table, n, 2, 0)
    for (let n = 1500; n < 2000; n++) learn(table, n, 3, 1000)
    for (let n = 10_000; n < 110_000; n++) learn(table, n, 2, 1000 + n / 100)
    expect(table.size).toBe(4096)
    for (let n = 0; n < 2000; n++) expect(lookup(table, n)).toBe(n < 1000 ? 1 : n < 1500 ? 2 : 3)
    expect(table.evicted).toBe(100_000 - 2096)
    expect(lookup(table, 109_999)).toBe(2)
  })

  it('a flood from a small port takes at most the floor from the stable addresses of the largest', () => {
    const table = new MacTable({ capacity: 4096 })
    for (let n = 0; n < 4096; n++) learnStable(table, n, 1, 0)
    for (let n = 10_000; n < 60_000; n++) learn(table, n, 2, 5000)
    expect(table.count(1)).toBe(4096 - 17)
    expect(table.count(2)).toBe(17)
  })

  it('learns nothing on the port that has most when all of its entries are stable', () => {
    const table = new MacTable({ capacity: 8 })
    for (let n = 0; n < 8; n++) learnStable(table, n, 1, n)
    learn(table, 100, 1, 5000)
    expect([lookup(table, 100), table.refused, table.evicted]).toEqual([0, 1, 0])
  })

  it('gives another port room: the least recently seen stable entry of the largest port goes', () => {
    const table = new MacTable({ capacity: 8 })
    for (let n = 0; n < 8; n++) learnStable(table, n, 1, n)
    learn(table, 0, 1, 3000)
    learn(table, 100, 2, 5000)
    expect([lookup(table, 100), lookup(table, 0), lookup(table, 1)]).toEqual([2, 1, 0])
  })

  it('costs no more memory', () => {
    const table = new MacTable({ capacity: 256 })
    let n = 0
    expect(bytesPerCall(() => learn(table, n++, 1, 0))).toBeLessThan(8)
  })
})

it('learning, refreshing, moving and looking up allocate nothing', () => {
  const table = new MacTable()
  const now = new Float64Array(1)
  let n = 0
  const step = (): void => {
    now[0] = (now[0] ?? 0) + 10
    n = (n + 1) & 255
    learn(table, n, 1 + ((n >> 3) & 1), now[0])
    learn(table, n, 1, now[0])
    if (lookup(table, n) !== 1) throw new Error('not found')
  }
  expect(bytesPerCall(step)).toBeLessThan(8)
})
