import { describe, expect, it } from 'vitest'
import { mtuGoal } from '#net/port/nic/mtu.ts'
import { raiseMtu } from '#net/port/nic/raise-mtu.ts'
import type { NicRecord } from '#net/port/nic/record.ts'

const BEFORE = 1500
const GOAL = mtuGoal({ asked: undefined, hasAddress: false, isUplink: false })

/** An interface whose driver takes up to `max`, multiples of `step`. */
class Nic {
  mtu: number
  /** What it would be put back to, were the process killed: at any moment so far. */
  readonly restored = new Set<number>()
  record: Pick<NicRecord, 'mtu'>
  #file: string
  readonly #max: number
  readonly #step: number

  constructor(mtu: number, record: NicRecord['mtu'], { max = 9216, step = 1 } = {}) {
    this.mtu = mtu
    this.record = { mtu: record }
    this.#file = JSON.stringify(this.record)
    this.#max = max
    this.#step = step
  }

  raise(): string {
    const set = (mtu: number): void => {
      this.#mayBeKilled()
      if (mtu > this.#max) throw new Error(`no ${mtu}`)
      this.mtu = Math.floor(mtu / this.#step) * this.#step
      // What a driver makes of it is recorded when it is known.
      if (this.mtu === mtu) this.#mayBeKilled()
    }
    return raiseMtu(this.record, GOAL, { get: () => this.mtu, set }, () => {
      this.#file = JSON.stringify(this.record)
      this.#mayBeKilled()
    })
  }

  /** As the file has it. */
  get written(): NicRecord['mtu'] {
    const record: Pick<NicRecord, 'mtu'> = JSON.parse(this.#file)
    return record.mtu
  }

  /** Whoever reads the file now is to put back what was. */
  #mayBeKilled(): void {
    const mtu = this.written
    this.restored.add(mtu?.set.includes(this.mtu) === true ? mtu.before : this.mtu)
  }
}

describe('raiseMtu', () => {
  it.each([
    ['as far as the driver goes', BEFORE, undefined, {}, 9216],
    ['in steps, as the driver refuses', BEFORE, undefined, { max: 2100 }, 2000],
    ['on from what an earlier bridge set', 2000, { before: BEFORE, set: [2000] }, {}, 9216],
  ] as const)('raises it %s', (_what, mtu, found, driver, now) => {
    const nic = new Nic(mtu, found && { before: found.before, set: [...found.set] }, driver)
    nic.raise()
    expect([...nic.restored]).toEqual([BEFORE])
    expect(nic.mtu).toBe(now)
    expect(nic.written).toEqual({ before: BEFORE, set: [now] })
  })

  it('leaves the record of an earlier bridge where the driver refuses more', () => {
    const nic = new Nic(9000, { before: BEFORE, set: [9000] }, { max: 9000 })
    expect(nic.raise()).toBe('no 9216')
    expect([...nic.restored]).toEqual([BEFORE])
    expect(nic.mtu).toBe(9000)
    expect(nic.written).toEqual({ before: BEFORE, set: [9000] })
  })

  it('writes nothing of an interface that it cannot change', () => {
    const nic = new Nic(BEFORE, undefined, { max: BEFORE })
    expect(nic.raise()).toBe('no 9216')
    expect(nic.written).toBe(undefined)
  })

  it('records what the driver made of it', () => {
    const nic = new Nic(BEFORE, undefined, { step: 1000 })
    nic.raise()
    expect(nic.written).toEqual({ before: BEFORE, set: [9000] })
  })
})
