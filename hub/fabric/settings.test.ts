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

  it('guard a port and mirror others to it', () => {
    const port = makePort()
    const { bridge, entry } = port
    const [second, third] = [bridge.switch.addEntry(), bridge.switch.addEntry()]
    const wanted = { storm: '1000', block: 'dhcp+ra', mirror: '2+in:3' }
    applySettings(PORT_SETTINGS, port, wanted)
    expect(readSettings(PORT_SETTINGS, port)).toEqual(wanted)
    for (const [target, mirror, why] of [
      [entry, '1', 'port 1: it is where copies go'],
      [entry, '9', 'cannot mirror port 9: private0 has no such port'],
      [second, '3', 'port 2 is mirrored itself'],
      [third, '1', 'port 3 is mirrored itself'],
      [entry, '2+2', 'each of them once'],
    ] as const)
      expect(() => applySettings(PORT_SETTINGS, { bridge, entry: target }, { mirror })).toThrow(why)
    applySettings(PORT_SETTINGS, port, { mirror: 'none' })
    expect(() => applySettings(PORT_SETTINGS, { bridge, entry: second }, { mirror: '1' })).not.toThrow()
    applySettings(PORT_SETTINGS, port, { storm: 'off', block: 'none' })
    expect(readSettings(PORT_SETTINGS, port)).toEqual({})
    expect(entry.guard).toBeNull()
  })

  it('are all made or none', () => {
    const port = makePort()
    for (const [wanted, why] of [
      [{ mode: 'access,vlan=10', colour: 'red' }, 'unknown setting colour; known are mode'],
      [{ mode: 'access,vlan=9999' }, 'port option vlan=9999 is not valid'],
      [{ toString: '1' }, 'unknown setting toString'],
      [{ mode: 'trunk', native: '1' }, 'unknown setting native; known are mode, '],
      [{ mode: 'trunk', native: '1' }, 'follows a comma: mode=access,vlan=10'],
    ] as const)
      expect(() => applySettings(PORT_SETTINGS, port, { ...wanted })).toThrow(
        expect.objectContaining({ code: 'bad-setting', message: expect.stringContaining(why) }),
      )
    expect(port.entry.mode).toEqual({ kind: 'transparent' })
    for (const ageing of ['9', '1000001', '', '1e3', '60 '])
      expect(() => applySettings(BRIDGE_SETTINGS, port.bridge, { ageing })).toThrow('10 to 1000000 seconds')
  })
})
