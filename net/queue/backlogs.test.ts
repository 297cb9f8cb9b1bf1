import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backlogs } from '#net/queue/backlogs.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const FLOWS = 256

describe('Backlogs.fattest', () => {
  it('is a flow that has most, after any additions and removals', () => {
    const step = fc.record({ flow: fc.nat(FLOWS - 1), octets: fc.nat(2000), takes: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const backlogs = new Backlogs(FLOWS)
        const model = Array.from({ length: FLOWS }, () => 0)
        for (const { flow, octets, takes } of steps) {
          const had = model[flow] ?? 0
          const change = takes ? -Math.min(octets, had) : octets
          model[flow] = had + change
          if (takes) backlogs.take(flow, -change)
          else backlogs.add(flow, change)
          expect(backlogs.of(flow)).toBe(model[flow])
          expect(model[backlogs.fattest()]).toBe(Math.max(...model))
        }
      }),
    )
  })

  it('takes equal flows in turn', () => {
    const backlogs = new Backlogs(FLOWS)
    for (let flow = 0; flow < FLOWS; flow++) backlogs.add(flow, 100)
    const seen = Array.from({ length: FLOWS }, () => {
      const flow = backlogs.fattest()
      backlogs.take(flow, 100)
      backlogs.add(flow, 100)
      return flow
    })
    expect(new Set(seen).size).toBe(FLOWS)
  })

  it('allocates nothing', () => {
    const backlogs = new Backlogs(FLOWS)
    let i = 0
    const call = (): void => {
      backlogs.add((i++ * 37) % FLOWS, 1 + (i % 1500))
      const flow = backlogs.fattest()
      backlogs.take(flow, backlogs.of(flow))
    }
    expect(bytesPerCall(call)).toBeLessThan(8)
  })
})
