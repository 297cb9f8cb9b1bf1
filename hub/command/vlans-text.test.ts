import { describe, expect, it } from 'vitest'
import { formatVlans, parseVlans } from '#hub/command/vlans-text.ts'

const row = {
  vlan: 10,
  tpid: 0x8100,
  untagged: [1],
  tagged: [2, 3, 4, 7],
  addresses: 2,
  frames: 5,
  octets: 300,
}

describe('formatVlans', () => {
  it('gives each bridge a table, and its transparent ports a line', () => {
    expect(
      formatVlans([
        {
          bridge: 'private0',
          transparent: [5, 6],
          vlans: [
            { ...row, vlan: 0, untagged: [], tagged: [] },
            row,
            { ...row, vlan: 4094, tpid: 0x88a8, frames: 12_345_678_901, octets: 9_876_543_210_123_456 },
          ],
        },
        { bridge: 'private1', transparent: [], vlans: [] },
      ]),
    ).toBe(
      [
        'private0',
        'vlan  tpid  untagged  tagged  addresses    frames      octets',
        '   0  -     -         -               2         5         300',
        '  10  8100  1         2-4,7           2         5         300',
        '4094  88a8  1         2-4,7           2  12345.7M  9876543.2G',
        'transparent, in every VLAN: 5-6',
        '',
        'private1',
        'no VLANs seen or named',
      ].join('\n'),
    )
    expect(formatVlans([])).toBe('no bridges')
  })

  it('puts idle VLANs of the same ports into one row', () => {
    const idle = { ...row, addresses: 0, frames: 0, octets: 0 }
    const other = [
      idle,
      { ...idle, vlan: 11 },
      { ...row, vlan: 12 },
      { ...idle, vlan: 13 },
      { ...idle, vlan: 15 },
    ]
    const vlans = [
      ...other,
      { ...idle, vlan: 16, tagged: [2] },
      { ...idle, vlan: 17, tpid: 0x88a8, tagged: [2] },
    ]
    const lines = formatVlans([{ bridge: 'lab', transparent: [], vlans }]).split('\n')
    expect(lines.slice(2).map((line) => line.trim().split(' ')[0])).toEqual([
      '10-11',
      '12',
      '13',
      '15',
      '16',
      '17',
    ])
  })

  it('fits 80 columns, whatever ports and counts are', () => {
    const odd = Array.from({ length: 512 }, (_, i) => 2 * i + 1)
    const most = Number.MAX_SAFE_INTEGER
    const vlans = [
      { ...row, vlan: 4094, untagged: odd, tagged: odd, addresses: 16384, frames: most, octets: most },
    ]
    for (const line of formatVlans([{ bridge: 'lab', transparent: odd, vlans }]).split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80)
      expect(line).not.toMatch(/\d…/) // half a number is another port
    }
  })
})

describe('parseVlans', () => {
  it('refuses what is no answer', () => {
    expect(() => parseVlans([{ bridge: 'lab', vlans: [] }])).toThrow("cannot read the hub's answer")
  })
})
