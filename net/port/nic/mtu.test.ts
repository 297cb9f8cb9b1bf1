import { describe, expect, it } from 'vitest'
import { isMtu, longestFrame, mtuGoal, mtuSteps, mtuWarning } from '#net/port/nic/mtu.ts'

const use = { asked: undefined, hasAddress: false, isUplink: false }

describe('mtuGoal', () => {
  it('goes as far as the product, but has 1500 octets under four tags due', () => {
    expect(mtuGoal(use)).toEqual({ wanted: 9216, due: 1516 })
  })

  it('adds only what tags need where the machine has an address, and nothing on the uplink', () => {
    expect(mtuGoal({ ...use, hasAddress: true })).toEqual({ wanted: 1516, due: 1516 })
    expect(mtuGoal({ ...use, hasAddress: true, isUplink: true })).toEqual({ wanted: 0, due: 0 })
  })

  it('takes what was asked for everywhere', () => {
    expect(mtuGoal({ asked: 2000, hasAddress: true, isUplink: true })).toEqual({ wanted: 2000, due: 2000 })
  })
})

describe('mtuSteps', () => {
  it('falls back as far as one tag, and never lowers', () => {
    expect(mtuSteps(mtuGoal(use), 1500)).toEqual([9216, 9202, 9000, 4000, 2000, 1516, 1508, 1504])
    expect(mtuSteps(mtuGoal(use), 4000)).toEqual([9216, 9202, 9000])
    expect(mtuSteps({ wanted: 3000, due: 3000 }, 1500)).toEqual([3000, 2000, 1516, 1508, 1504])
    expect(mtuSteps({ wanted: 1400, due: 1400 }, 1500)).toEqual([])
    expect(mtuSteps(mtuGoal(use), 65_535)).toEqual([])
  })
})

describe('mtuWarning', () => {
  it('names the longest frames that pass', () => {
    expect(longestFrame(1500)).toBe(1518)
    expect(mtuWarning('eth1', 1500, 'why')).toBe(
      'eth1 keeps an MTU of 1500: frames over 1514 octets, with a VLAN tag 1518, do not pass (why)',
    )
  })
})

describe('isMtu', () => {
  it('is 68 to 9216', () => {
    expect([67, 68, 9216, 9217, 1500.5, Number.NaN].map(isMtu)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
