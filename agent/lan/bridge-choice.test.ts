import { describe, expect, it } from 'vitest'
import { parseMap } from '#agent/lan/bridge-choice.ts'

describe('parseMap', () => {
  it('reads VLANs and what has none, in their order', () => {
    expect(parseMap(['4094=lab/private0', 'untagged=private1', '1=b'])).toEqual([
      { bridge: 'lab/private0', vlan: 4094 },
      { bridge: 'private1', vlan: 0 },
      { bridge: 'b', vlan: 1 },
    ])
  })

  it.each([
    [['10'], 'map 10: expected VLAN=BRIDGE'],
    [['10='], 'map 10=: expected VLAN=BRIDGE'],
    [['10=a=b'], 'expected VLAN=BRIDGE'],
    [['=a'], 'expected untagged, or a VLAN from 1 to 4094'],
    [['0x10=a'], 'expected untagged, or a VLAN from 1 to 4094'],
    [['10 =a'], 'expected untagged, or a VLAN from 1 to 4094'],
    [['5000=a'], 'expected untagged, or a VLAN from 1 to 4094'],
    [['0=a'], 'VLAN 0 is only a priority: frames without a VLAN are untagged=BRIDGE'],
    [['4095=a'], 'VLAN 4095 is reserved'],
    [['10=a', '010=b'], 'VLAN 10 is mapped twice'],
    [['untagged=a', 'untagged=b'], 'untagged is mapped twice'],
    [['10=a', '20=a'], 'bridge a is mapped twice'],
    [['10=a;b'], 'bad bridge name'],
    [Array.from({ length: 33 }, (_, i) => `${i + 1}=b${i}`), '33 bridges are mapped'],
  ])('%j is refused', (texts, message) => {
    expect(() => parseMap(texts)).toThrow(message)
  })
})
