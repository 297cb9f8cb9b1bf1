import { describe, expect, it } from 'vitest'
import { Bridge } from '#hub/fabric/bridge.ts'
import {
  applySettings,
  BRIDGE_SETTINGS,
  PORT_SETTINGS,
  type PortTarget,
  readSettings,
} from '#hub/fabric/settings.ts'

function makePort(): PortTarget {
  const bridge = new Bridge({ name: 'private0' }, () => {})
  return { bridge, entry: bridge.switch.addEntry() }
}

describe('settings', () => {
  it('are read back as they are written, and not at all at their default', () => {
    const port = makePort()
    expect(readSettings(PORT_SETTINGS, port)).toEqual({})
    applySettings(PORT_SETTINGS, port, { mode: 'access,vlan=10' })
    expect(port.entry.mode).toEqual({ kind: 'access', vlan: 10 })
    expect(readSettings(PORT_SETTINGS, port)).toEqual({ mode: 'access,vlan=10' })
    applySettings(PORT_SETTINGS, port, { mode: 'transparent' })
    expect(readSettings(PORT_SETTINGS, port)).toEqual({})
    applySettings(BRIDGE_SETTINGS, port.bridge, { ageing: '60' })
    expect(port.bridge.switch.table.ageingMs).toBe(60_000)
    expect(readSettings(BRIDGE_SETTINGS, port.bridge)).toEqual({ ageing: '60' })
  })

  it('are all made or none', () => {
    const port = makePort()
    for (const [wanted, why] of [
      [{ mode: 'access,vlan=10', colour: 'red' }, 'unknown setting colour; known are mode'],
      [{ mode: 'access,vlan=9999' }, 'port option vlan=9999 is not valid'],
      [{ toString: '1' }, 'unknown setting toString'],
    ] as const)
      expect(() => applySettings(PORT_SETTINGS, port, { ...wanted })).toThrow(
        expect.objectContaining({ code: 'bad-setting', message: expect.stringContaining(why) }),
      )
    expect(port.entry.mode).toEqual({ kind: 'transparent' })
    for (const ageing of ['9', '1000001', '', '1e3', '60 '])
      expect(() => applySettings(BRIDGE_SETTINGS, port.bridge, { ageing })).toThrow('10 to 1000000 seconds')
  })
})
