import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Door,
  MAX_CONNECTIONS,
  MAX_UNAUTHENTICATED,
  MAX_UNAUTHENTICATED_PER_ADDRESS,
} from '#hub/gateway/limits.ts'

describe('Door', () => {
  it('lets so many strangers of one address wait, and others all the same', () => {
    const door = new Door()
    for (let i = 0; i < MAX_UNAUTHENTICATED_PER_ADDRESS; i++) expect(door.enter('10.0.0.1')).toBe(true)
    expect(door.enter('10.0.0.1')).toBe(false)
    expect(door.enter('10.0.0.2')).toBe(true)
    door.leave('10.0.0.1', false)
    expect(door.enter('10.0.0.1')).toBe(true)
  })

  it('counts those who logged in no more as strangers', () => {
    const door = new Door()
    for (let i = 0; i < 200; i++) {
      expect(door.enter('10.0.0.1')).toBe(true)
      door.admit('10.0.0.1')
    }
  })

  it('lets so many strangers wait in all', () => {
    const door = new Door()
    for (let i = 0; i < MAX_UNAUTHENTICATED; i++) expect(door.enter(`10.0.0.${i}`)).toBe(true)
    expect(door.enter('10.0.1.1')).toBe(false)
    door.admit('10.0.0.7')
    expect(door.enter('10.0.1.1')).toBe(true)
  })

  it('has an end', () => {
    const door = new Door()
    for (let i = 0; i < MAX_CONNECTIONS; i++) {
      expect(door.enter('10.0.0.1')).toBe(true)
      door.admit('10.0.0.1')
    }
    expect(door.enter('10.0.0.2')).toBe(false)
    door.leave('10.0.0.1', true)
    expect(door.enter('10.0.0.2')).toBe(true)
  })

  it('tells of refusals at once, then every 10 seconds at most, and forgets none', () => {
    const door = new Door()
    expect(door.refusedToReport(0)).toBe(0)
    for (let i = 0; i < MAX_UNAUTHENTICATED_PER_ADDRESS + 1; i++) door.enter('10.0.0.1')
    expect(door.refusedToReport(500)).toBe(1)
    door.enter('10.0.0.1')
    door.enter('10.0.0.1')
    expect(door.refusedToReport(10_499)).toBe(0)
    expect(door.refusedToReport(10_500)).toBe(2)
    expect(door.refusedToReport(30_000)).toBe(0)
  })

  it('is empty again when all have left, in whatever order', () => {
    const visit = fc.record({ address: fc.constantFrom('a', 'b', 'c'), logsIn: fc.boolean() })
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 60 }), (visits) => {
        const door = new Door()
        const inside = visits.filter(({ address, logsIn }) => {
          const entered = door.enter(address)
          if (entered && logsIn) door.admit(address)
          return entered
        })
        for (const { address, logsIn } of inside.reverse()) door.leave(address, logsIn)
        for (const address of ['a', 'b', 'c'])
          for (let i = 0; i < MAX_UNAUTHENTICATED_PER_ADDRESS; i++) expect(door.enter(address)).toBe(true)
      }),
    )
  })
})
