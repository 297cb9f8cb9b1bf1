import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { formatPortMode, parsePortMode, vlanColumnsText } from '#net/switch/port-mode.ts'

describe('parsePortMode', () => {
  it.each([
    ['mode=transparent', { kind: 'transparent' }],
    ['mode=access,vlan=10', { kind: 'access', vlan: 10 }],
    ['vlan=0,mode=access', { kind: 'access', vlan: 0 }],
    ['mode=trunk', { kind: 'trunk', native: null, tagged: [[1, 4094]], tpid: 0x8100 }],
    [
      'mode=trunk,native=1,tagged=20-29+10',
      {
        kind: 'trunk',
        native: 1,
        tagged: [
          [10, 10],
          [20, 29],
        ],
        tpid: 0x8100,
      },
    ],
    [
      'mode=trunk,native=none,tagged=5-9+7-12+13+15,tpid=88A8',
      {
        kind: 'trunk',
        native: null,
        tagged: [
          [5, 13],
          [15, 15],
        ],
        tpid: 0x88a8,
      },
    ],
    ['mode=tunnel,qnq=100', { kind: 'tunnel', qnq: 100, strict: false, tagged: [], tpid: 0x8100 }],
    [
      'mode=tunnel,qnq=100,strict=1,tpid=0x9100,tagged=all',
      { kind: 'tunnel', qnq: 100, strict: true, tagged: [[1, 4094]], tpid: 0x9100 },
    ],
  ])('%s', (text, mode) => {
    expect(parsePortMode(text)).toEqual(mode)
    expect(parsePortMode(formatPortMode(parsePortMode(text)))).toEqual(mode)
  })

  it.each([
    ['', "port option '' has no value"],
    ['mode', "port option 'mode' has no value"],
    ['vlan=10', 'port option mode is missing: it takes transparent, access, trunk or tunnel'],
    ['mode=hub', 'port option mode=hub is not valid: it takes transparent, access, trunk or tunnel'],
    ['mode=toString', 'port option mode=toString is not valid'],
    ['mode=access', 'port option vlan is missing: it takes a VLAN from 0 to 4094'],
    ['mode=access,vlan=4095', 'port option vlan=4095 is not valid: it takes a VLAN from 0 to 4094'],
    ['mode=access,vlan=0x10', 'port option vlan=0x10 is not valid'],
    ['mode=access,vlan=-1', 'port option vlan=-1 is not valid'],
    ['mode=access,vlan=1,vlan=2', 'port option vlan is given twice'],
    ['mode=access,vlan=1,native=2', 'port option native=2 does not belong here: mode=access takes vlan'],
    ['mode=transparent,vlan=1', 'mode=transparent has no further options'],
    [
      'mode=trunk,native=4095',
      'port option native=4095 is not valid: it takes a VLAN from 0 to 4094, or none',
    ],
    ['mode=trunk,tagged=10+', 'port option tagged=10+ is not valid'],
    ['mode=trunk,tagged=0-5', 'VLANs from 1 to 4094 like 10+20-29'],
    ['mode=trunk,tagged=9-5', 'port option tagged=9-5 is not valid'],
    ['mode=trunk,tagged=1-2-3', 'port option tagged=1-2-3 is not valid'],
    ['mode=trunk,tpid=8200', 'port option tpid=8200 is not valid: it takes 8100, 88a8, 9100, 9200'],
    ['mode=tunnel', 'port option qnq is missing: it takes a VLAN from 1 to 4094'],
    ['mode=tunnel,qnq=0', 'port option qnq=0 is not valid'],
    ['mode=tunnel,qnq=1,strict=yes', 'port option strict=yes is not valid: it takes 0 or 1'],
    ['mode=tunnel,qnq=15,tagged=10-20', 'VLANs other than the service VLAN, qnq=15'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePortMode(text)).toThrow(ConfigError)
    expect(() => parsePortMode(text)).toThrow(message)
  })

  it('throws nothing but a ConfigError, and what it takes it can print', () => {
    const part = fc.oneof(
      fc.string(),
      fc.nat(5000).map(String),
      fc.constantFrom('all', 'none', '1-9+20', '88a8'),
    )
    fc.assert(
      fc.property(fc.constantFrom('access', 'trunk', 'tunnel'), part, part, part, (mode, a, b, c) => {
        for (const text of [a, `mode=${mode},vlan=${a}`, `mode=${mode},native=${a},tagged=${b},tpid=${c}`]) {
          expect(outcome(text)).toBe(true)
        }
        expect(outcome(`mode=${mode},qnq=${a},tagged=${b}`)).toBe(true)
      }),
    )
  })
})

/** True when the text is refused properly, or comes back the same from its printed form. */
function outcome(text: string): boolean {
  try {
    const printed = formatPortMode(parsePortMode(text))
    return formatPortMode(parsePortMode(printed)) === printed
  } catch (error) {
    return error instanceof ConfigError
  }
}

it.each([
  ['mode=transparent', 'untagged_vlan=0000 QnQ,Strict=0000,0'],
  ['mode=access,vlan=10', 'untagged_vlan=0010 QnQ,Strict=0000,1'],
  ['mode=trunk,native=1', 'untagged_vlan=0001 QnQ,Strict=0000,0'],
  ['mode=trunk', 'untagged_vlan=4095 QnQ,Strict=0000,0'],
  ['mode=tunnel,qnq=100', 'untagged_vlan=0000 QnQ,Strict=0100,0'],
  ['mode=tunnel,qnq=100,strict=1', 'untagged_vlan=0000 QnQ,Strict=0100,1'],
])("%s shows VDE's columns", (text, columns) => {
  expect(vlanColumnsText(parsePortMode(text))).toBe(columns)
})
