import { describe, expect, it } from 'vitest'
import {
  DEFAULT_RSTP,
  DEFAULT_RSTP_PORT,
  portSettings,
  readRstpBridge,
  readRstpPort,
  RSTP_BRIDGE_OPTIONS,
  RSTP_PORT_OPTIONS,
  withRstpBridge,
  withRstpPort,
} from '#hub/fabric/rstp-settings.ts'

describe('RSTP settings', () => {
  it('of a bridge are read back as they are written, and not at all at their default', () => {
    for (const name of RSTP_BRIDGE_OPTIONS) expect(readRstpBridge(DEFAULT_RSTP, name)).toBeUndefined()
    const wanted = { rstp: 'on', priority: '0', hello: '1', 'max-age': '6', 'forward-delay': '4' }
    const set = withRstpBridge(DEFAULT_RSTP, wanted)
    expect(set).toEqual({ isOn: true, priority: 0, hello: 1, maxAge: 6, forwardDelay: 4 })
    expect(Object.fromEntries(RSTP_BRIDGE_OPTIONS.map((name) => [name, readRstpBridge(set, name)]))).toEqual(
      wanted,
    )
    expect(withRstpBridge(set, {})).toEqual(set)
  })

  it('of a port are read back as they are written, and not at all at their default', () => {
    for (const name of RSTP_PORT_OPTIONS) expect(readRstpPort(DEFAULT_RSTP_PORT, name)).toBeUndefined()
    const wanted = { edge: 'yes', cost: '2000', 'stp-priority': '16', p2p: 'no' }
    const set = withRstpPort(DEFAULT_RSTP_PORT, wanted)
    expect(set).toEqual({ edge: 'yes', cost: 2000, priority: 16, p2p: 'no' })
    expect(Object.fromEntries(RSTP_PORT_OPTIONS.map((name) => [name, readRstpPort(set, name)]))).toEqual(
      wanted,
    )
    expect(withRstpPort(set, { cost: 'auto' }).cost).toBe('auto')
    expect(withRstpPort(set, {})).toEqual(set)
  })

  it.each([
    [{ rstp: 'yes' }, 'rstp=yes is not valid: it is on or off'],
    [{ priority: '5000' }, '0 to 61440, in steps of 4096'],
    [{ priority: '65536' }, '0 to 61440'],
    [{ hello: '0' }, '1 to 2'],
    [{ 'max-age': '41' }, '6 to 40'],
    [{ 'forward-delay': '4.5' }, '4 to 30'],
    [{ 'max-age': '40' }, 'do not go together'],
    [{ 'forward-delay': '4' }, 'do not go together'],
    [{ 'max-age': '6', hello: '2', 'forward-delay': '3' }, '4 to 30'],
  ])('of a bridge are refused: %o', (wanted: Record<string, string>, why) => {
    expect(() => withRstpBridge(DEFAULT_RSTP, wanted)).toThrow(why)
  })

  it.each([
    [{ edge: 'on' }, 'auto or yes or no'],
    [{ cost: '0' }, '1 to 200000000'],
    [{ cost: '' }, '1 to 200000000'],
    [{ 'stp-priority': '8' }, '0 to 240, in steps of 16'],
    [{ p2p: '' }, 'p2p= is not valid'],
  ])('of a port are refused: %o', (wanted: Record<string, string>, why) => {
    expect(() => withRstpPort(DEFAULT_RSTP_PORT, wanted)).toThrow(why)
  })

  it.each([
    [10, 2_000_000],
    [100, 200_000],
    [1000, 20_000],
    [10_000, 2000],
    [100_000, 200],
    [1_000_000, 20],
    [1e9, 1],
  ])('cost of %i Mb/s is that of IEEE 802.1D Table 17-3', (megabits, pathCost) => {
    expect(portSettings(DEFAULT_RSTP_PORT, { megabits, isHalfDuplex: true })).toEqual({
      priority: 128,
      pathCost,
      edge: 'auto',
      pointToPoint: false,
    })
  })
})
