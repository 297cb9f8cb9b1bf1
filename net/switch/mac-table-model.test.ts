import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { MacTable } from '#net/switch/mac-table.ts'

const PORTS = 4
const AGEING_MS = 5000
const CONFIRM_MS = 1000

interface Entry {
  readonly address: string
  readonly vlan: number
  readonly port: number
  readonly stable: boolean
  readonly seen: number
}

/** The table as its docstring tells it: one list, in the order in which entries were seen. */
class Model {
  readonly capacity: number
  entries: Entry[] = []

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** @returns the port that the address was on before */
  learn(address: string, vlan: number, port: number, now: number): number {
    const known = this.entries.find((entry) => entry.address === address && entry.vlan === vlan)
    const fresh = { address, vlan, port, stable: false, seen: now }
    if (known === undefined) {
      if (this.entries.length < this.capacity || this.makeRoom(port)) this.entries.push(fresh)
      return 0
    }
    if (known.port !== port) {
      this.remove(known)
      this.entries.push(fresh)
      return known.port
    }
    if (now - known.seen >= CONFIRM_MS) {
      this.remove(known)
      this.entries.push({ ...fresh, stable: true })
    }
    return 0
  }

  flush(port: number): void {
    this.entries = this.entries.filter((entry) => entry.port !== port)
  }

  age(now: number): void {
    this.entries = this.entries.filter((entry) => now - entry.seen < AGEING_MS)
  }

  /** Port by port, those seen once before the stable ones. */
  sorted(now: number): object[] {
    const lists = Array.from({ length: PORTS }, (_, i) =>
      [false, true].flatMap((stable) => this.list(i + 1, stable)),
    )
    return lists.flat().map(({ seen, ...entry }) => ({ ...entry, ageMs: now - seen }))
  }

  private list(port: number, stable: boolean): Entry[] {
    return this.entries.filter((entry) => entry.port === port && entry.stable === stable)
  }

  private count(port: number): number {
    return this.entries.filter((entry) => entry.port === port).length
  }

  private makeRoom(learner: number): boolean {
    let largest = 1
    for (let port = 2; port <= PORTS; port++) if (this.count(port) > this.count(largest)) largest = port
    let victim = this.list(largest, false)[0]
    if (victim === undefined && this.count(learner) > this.capacity >> 8)
      victim = this.list(learner, false)[0]
    if (victim === undefined && this.count(largest) > this.count(learner))
      victim = this.list(largest, true)[0]
    if (victim === undefined) return false
    this.remove(victim)
    return true
  }

  private remove(entry: Entry): void {
    this.entries = this.entries.filter((one) => one !== entry)
  }
}

const port = fc.integer({ min: 1, max: PORTS })
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('learn' as const),
      first: fc.nat(30),
      count: fc.constantFrom(1, 1, 2, 5),
      vlan: fc.constantFrom(0, 10, (1 << 12) | 10),
      port,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const), port }) },
)

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never
type Learn = Extract<Operation, { kind: 'learn' }>

/** Both, changed alike. */
class Pair {
  readonly model: Model
  readonly table: MacTable
  now = 0
  private readonly octets = Buffer.alloc(6)

  constructor(capacity: number, seed: number) {
    this.model = new Model(capacity)
    this.table = new MacTable({ capacity, ageingMs: AGEING_MS, maxPort: PORTS, seed })
  }

  /** @returns what the two answer */
  learn(n: number, vlan: number, on: number): [table: number, model: number] {
    this.octets.writeUIntBE(0x0200_0000_0000 + n, 0, 6)
    const address = this.octets.toString('hex').replaceAll(/..(?=.)/g, '$&:')
    return [
      this.table.learn(this.octets, 0, vlan, on, this.now),
      this.model.learn(address, vlan, on, this.now),
    ]
  }

  wait(ms: number): void {
    this.now += ms
    this.table.age(this.now, this.table.capacity)
    this.model.age(this.now)
  }

  /** @returns what the two answer */
  apply(op: Operation): { table: number[]; model: number[] } {
    const answers = op.kind === 'learn' ? this.learnAll(op) : []
    if (op.kind === 'wait') this.wait(op.ms)
    if (op.kind === 'flush') {
      this.table.flushPort(op.port)
      this.model.flush(op.port)
    }
    return { table: answers.map(([table]) => table), model: answers.map(([, model]) => model) }
  }

  private learnAll({ first, count, vlan, port: on }: Learn): [table: number, model: number][] {
    return Array.from({ length: count }, (_, i) => this.learn(first + i, vlan, on))
  }
}

it('a table, full or not, holds what a slow model holds, in the same order', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 5, 8, 64, 512),
      fc.boolean(),
      fc.array(operation, { maxLength: 100 }),
      fc.integer(),
      (capacity, isFull, operations, seed) => {
        const pair = new Pair(capacity, seed)
        if (isFull) {
          // With stable addresses of one port.
          for (const ms of [0, CONFIRM_MS]) {
            pair.wait(ms)
            for (let n = 0; n < capacity; n++) pair.learn(1000 + n, 0, 1)
          }
        }
        for (const op of operations) {
          const answers = pair.apply(op)
          expect(answers.table).toEqual(answers.model)
          expect(pair.table.entries(pair.now)).toMatchObject(pair.model.sorted(pair.now))
        }
        const vlans = pair.model.entries.map((entry) => entry.vlan)
        const counts = new Map(
          [...new Set(vlans)].map((vlan) => [vlan, vlans.filter((v) => v === vlan).length]),
        )
        expect(pair.table.countByVlan()).toEqual(counts)
      },
    ),
    { numRuns: 40 },
  )
})
