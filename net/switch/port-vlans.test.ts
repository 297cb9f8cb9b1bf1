import { describe, expect, it } from 'vitest'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

/**
 * Sends one frame from port 1 to port 2.
 * @returns its tags there; `in:REASON` or `out:REASON` when it was dropped, `-` when port 2 does not get it
 */
function through(from: string, to: string, tags: string, ...others: string[]): string {
  const lab = new SwitchLab([from, to, ...others].map((mode) => `mode=${mode}`))
  const [, flooded] = lab.tagsAfter(1, frameOf(BROADCAST, host(1), tags))
  const { inDrops } = lab.entry(1).counters.read()
  const { outDrops } = lab.entry(2).counters.read()
  if (Object.keys(inDrops).length > 0) return `in:${Object.keys(inDrops).join()}`
  if (Object.keys(outDrops).length > 0) return `out:${Object.keys(outDrops).join()}`
  return flooded ?? '-'
}

describe('one frame from one mode to another', () => {
  it.each([
    // Between transparent ports nothing changes.
    ['transparent', 'transparent', '', ''],
    ['transparent', 'transparent', '8100.0p5', '8100.0p5'],
    ['transparent', 'transparent', '8100.10p3', '8100.10p3'],
    ['transparent', 'transparent', '8100.4095', '8100.4095'],
    ['transparent', 'transparent', '88a8.100 8100.10', '88a8.100 8100.10'],
    ['transparent', 'transparent', '9100.1 9200.2 88a8.3 8100.4', '9100.1 9200.2 88a8.3 8100.4'],

    // Transparent is a trunk of all VLANs whose untagged traffic is VLAN 0.
    ['transparent', 'access,vlan=0', '', ''],
    ['transparent', 'access,vlan=0', '8100.0p5', ''],
    ['transparent', 'access,vlan=0', '8100.10', '-'],
    ['transparent', 'access,vlan=10', '', '-'],
    ['transparent', 'access,vlan=10', '8100.10p5', ''],
    ['transparent', 'access,vlan=10', '8100.10 8100.20', '8100.20'],
    ['transparent', 'access,vlan=10', '8100.11', '-'],
    ['transparent', 'access,vlan=0', '88a8.100', '88a8.100'],
    ['transparent', 'trunk,native=0,tagged=10', '', ''],
    ['transparent', 'trunk,native=0,tagged=10', '8100.0p5', ''],
    ['transparent', 'trunk,native=0,tagged=10', '8100.10p5', '8100.10p5'],
    ['transparent', 'trunk,native=10', '8100.10', ''],
    ['transparent', 'trunk', '', '-'],
    ['transparent', 'trunk', '8100.4095', '-'],
    ['access,vlan=0', 'transparent', '', ''],
    ['access,vlan=0', 'transparent', '8100.0p5', '8100.0p5'],
    ['access,vlan=10', 'transparent', '', '8100.10'],
    ['access,vlan=10', 'transparent', '8100.0p5', '8100.10p5'],
    ['trunk,native=10', 'transparent', '', '8100.10'],
    ['trunk,native=0', 'transparent', '', ''],
    ['trunk', 'transparent', '8100.10p5', '8100.10p5'],

    // Access: untagged only.
    ['access,vlan=10', 'access,vlan=10', '', ''],
    ['access,vlan=10', 'access,vlan=10', '8100.0p7', ''],
    ['access,vlan=10', 'access,vlan=11', '', '-'],
    ['access,vlan=10', 'access,vlan=10', '8100.10', 'in:vlan'],
    ['access,vlan=10', 'access,vlan=10', '8100.20', 'in:vlan'],
    ['access,vlan=10', 'access,vlan=10', '88a8.20', '88a8.20'],
    ['access,vlan=10', 'access,vlan=10', '88a8.20', 'in:vlan', 'trunk,tpid=88a8'],
    ['access,vlan=10', 'trunk', '', '8100.10'],
    ['access,vlan=10', 'trunk', '8100.0p5', '8100.10p5'],
    ['access,vlan=10', 'trunk', '88a8.0p5', '8100.10p5', 'trunk,tpid=88a8'],
    ['access,vlan=10', 'trunk', '8100.0p5 8100.7', '8100.10p5 8100.7'],
    ['access,vlan=10', 'trunk,native=10', '', ''],
    ['access,vlan=10', 'trunk,tagged=11', '', '-'],
    ['access,vlan=10', 'trunk,tpid=88a8', '', '-'],

    // Trunk: what it carries.
    ['trunk,tagged=10', 'trunk', '8100.10p2', '8100.10p2'],
    ['trunk,tagged=10', 'trunk', '8100.11', 'in:vlan'],
    ['trunk', 'trunk', '8100.4095', 'in:vlan'],
    ['trunk', 'trunk', '', 'in:vlan'],
    ['trunk', 'trunk', '8100.0p5', 'in:vlan'],
    ['trunk,native=10', 'trunk', '', '8100.10'],
    ['trunk,native=10', 'trunk', '8100.0p5', '8100.10p5'],
    ['trunk,native=10,tagged=none', 'trunk', '8100.10', '8100.10'],
    ['trunk,native=10', 'trunk,native=10', '8100.10p5', ''],
    ['trunk,native=10', 'access,vlan=10', '8100.0p5 8100.7', '8100.7'],
    ['trunk,native=10', 'trunk', '88a8.20 8100.30', '8100.10 88a8.20 8100.30'],
    ['trunk', 'access,vlan=10', '8100.10 88a8.9', '88a8.9'],
    ['trunk,tpid=88a8', 'trunk,tpid=88a8', '88a8.10p5', '88a8.10p5'],
    ['trunk,tpid=88a8', 'trunk,tpid=88a8', '8100.10', 'in:vlan'],
    ['trunk,tpid=88a8,native=10', 'transparent', '', '88a8.10'],
    ['trunk,tpid=9200', 'transparent', '9200.10', '9200.10'],
    ['trunk,tpid=88a8', 'trunk', '88a8.10', '-'],

    // Tunnel in, strict=0.
    ['tunnel,qnq=100', 'trunk', '', '8100.100'],
    ['tunnel,qnq=100', 'trunk', '8100.0p5', '8100.100p5 8100.0p5'],
    ['tunnel,qnq=100,tagged=10', 'trunk', '8100.10p5', '8100.10p5'],
    ['tunnel,qnq=100,tagged=10', 'trunk', '8100.11p5', '8100.100p5 8100.11p5'],
    ['tunnel,qnq=100', 'trunk', '8100.100', '8100.100 8100.100'],
    ['tunnel,qnq=100', 'trunk', '8100.4095', '8100.100 8100.4095'],
    ['tunnel,qnq=100', 'trunk', '88a8.11p5', '8100.100p5 88a8.11p5'],
    ['tunnel,qnq=100', 'trunk', '9100.11 8100.12', '8100.100 9100.11 8100.12'],
    ['tunnel,qnq=100,tpid=88a8', 'trunk,tpid=88a8', '8100.11p5', '88a8.100p5 8100.11p5'],
    ['tunnel,qnq=100,tpid=9100', 'transparent', '8100.11', '9100.100 8100.11'],
    ['tunnel,qnq=100,tpid=88a8,tagged=10', 'trunk', '8100.10', '8100.10'],
    ['tunnel,qnq=100,tpid=88a8,tagged=10', 'trunk', '88a8.10', '-'],

    // Tunnel in, strict=1.
    ['tunnel,qnq=100,strict=1', 'trunk', '', 'in:strict'],
    ['tunnel,qnq=100,strict=1', 'trunk', '8100.0p5', 'in:strict'],
    ['tunnel,qnq=100,strict=1,tagged=10', 'trunk', '8100.10p5', '8100.100p5 8100.10p5'],
    ['tunnel,qnq=100,strict=1', 'trunk', '8100.11', '8100.100 8100.11'],
    ['tunnel,qnq=100,strict=1', 'trunk', '9200.11', '8100.100 9200.11'],

    // Tunnel out.
    ['trunk', 'tunnel,qnq=100', '8100.100p5 8100.10p3', '8100.10p3'],
    ['trunk', 'tunnel,qnq=100', '8100.100', ''],
    ['trunk', 'tunnel,qnq=100', '8100.101 8100.10', '-'],
    ['trunk', 'tunnel,qnq=100,tagged=10', '8100.10p5', '8100.10p5'],
    ['trunk', 'tunnel,qnq=100,strict=1', '8100.100 8100.10', '8100.10'],
    ['trunk', 'tunnel,qnq=100,strict=1', '8100.100', 'out:strict'],
    ['trunk', 'tunnel,qnq=100,strict=1', '8100.100 8100.0p5', 'out:strict'],
    ['trunk', 'tunnel,qnq=100,strict=1,tagged=10', '8100.10 8100.11', '-'],
    ['access,vlan=100', 'tunnel,qnq=100', '', ''],
    ['access,vlan=100', 'tunnel,qnq=100,strict=1', '', 'out:strict'],
    ['transparent', 'tunnel,qnq=100,tpid=88a8', '88a8.100 8100.10', '8100.10'],
    ['transparent', 'tunnel,qnq=100,tpid=88a8', '8100.100 8100.10', '-'],
    ['transparent', 'tunnel,qnq=100', '', '-'],
    ['tunnel,qnq=100', 'tunnel,qnq=100', '8100.10p5', '8100.10p5'],
    ['tunnel,qnq=100', 'tunnel,qnq=100', '', ''],
    ['tunnel,qnq=100', 'tunnel,qnq=100,strict=1', '', 'out:strict'],
    ['tunnel,qnq=100', 'tunnel,qnq=100,tpid=88a8', '8100.10', '-'],
    ['tunnel,qnq=100', 'tunnel,qnq=101', '8100.10', '-'],
    ['tunnel,qnq=100,tagged=10', 'tunnel,qnq=101,tagged=10', '8100.10', '8100.10'],
  ])('%s to %s: [%s] is [%s] there', (from, to, tags, expected, ...others) => {
    expect(through(from, to, tags, ...others)).toBe(expected)
  })

  it('a tag that is cut short is a short frame, and passes between transparent ports', () => {
    for (const mode of ['access,vlan=10', 'trunk,native=10', 'tunnel,qnq=100']) {
      const lab = new SwitchLab([`mode=${mode}`, 'mode=transparent', 'mode=transparent'])
      for (let length = 14; length < 18; length++) {
        const frame = frameOf(BROADCAST, host(1), '8100.10').slice(0, length)
        lab.port(1).inject(frame)
        expect(lab.take()).toEqual([[], [], []])
        lab.port(2).inject(frame)
        expect(lab.take()[2]).toEqual([frame])
      }
      expect(lab.entry(1).counters.read().inDrops).toEqual({ short: 4 })
    }
  })
})

describe('unicast', () => {
  it('takes the same forms, in the VLAN where the address was learnt', () => {
    const lab = new SwitchLab([
      'mode=access,vlan=10',
      'mode=trunk',
      'mode=access,vlan=20',
      'mode=transparent',
    ])
    expect(lab.tagsAfter(2, frameOf(BROADCAST, host(2), '8100.10'))).toEqual(['', null, null, '8100.10'])
    expect(lab.tagsAfter(1, frameOf(host(2), host(1), '8100.0p3'))).toEqual([null, '8100.10p3', null, null])
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), '8100.10'))).toEqual(['', null, null, null])
    expect(lab.tagsAfter(3, frameOf(host(1), host(3), ''))).toEqual([null, '8100.20', null, '8100.20'])
    expect(lab.bridge.addresses().map(({ vlan, port }) => [vlan, port])).toEqual([
      [10, 1],
      [10, 2],
      [20, 3],
    ])
  })

  it('keeps a service VLAN apart from the VLAN of the same number', () => {
    const lab = new SwitchLab(['mode=tunnel,qnq=10,tpid=88a8', 'mode=access,vlan=10', 'mode=transparent'])
    expect(lab.tagsAfter(1, frameOf(host(9), host(1), ''))).toEqual([null, null, '88a8.10'])
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), ''))).toEqual([null, null, '8100.10'])
    expect(lab.tagsAfter(3, frameOf(host(1), host(3), '88a8.10'))).toEqual(['', null, null])
    expect(lab.bridge.addresses().map(({ vlan, tpid, port }) => [vlan, tpid, port])).toEqual([
      [10, 0x88a8, 1],
      [10, 0x8100, 2],
      [10, 0x88a8, 3],
    ])
  })
})
