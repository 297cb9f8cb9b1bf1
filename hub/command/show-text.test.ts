import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PortStatus, formatPorts } from '#hub/command/show-text.ts'
import { formatCount } from '#hub/command/table.ts'

const port = (more: Partial<PortStatus> = {}): PortStatus => ({
  bridge: 'private0',
  number: 1,
  name: 'nic:eth1',
  description: '',
  up: true,
  mode: 'mode=transparent',
  untaggedVlan: 0,
  qnq: 0,
  strict: 0,
  maxFrame: 9216,
  settings: {},
  counters: { inFrames: 0, inOctets: 0, outFrames: 0, outOctets: 0, inDrops: {}, outDrops: {} },
  ...more,
})

describe('formatPorts', () => {
  it('gives each bridge a table, and a port its details below', () => {
    const counters = { ...port().counters, inDrops: { short: 1, 'too-big': 2 } }
    const text = formatPorts([
      port(),
      port({
        bridge: 'private1',
        number: 2,
        name: 'tunnel:ann@site',
        description: 'ann from 192.0.2.1',
        up: false,
      }),
      port({ number: 12, settings: { mode: 'access,vlan=10' }, counters }),
    ])
    expect(text).toBe(
      [
        'private0',
        'port  name      state  in frames  octets  out frames  octets',
        '   1  nic:eth1  up             0       0           0       0',
        '  12  nic:eth1  up             0       0           0       0',
        '      mode=access,vlan=10',
        '      drops in: short 1, too-big 2',
        '',
        'private1',
        'port  name             state  in frames  octets  out frames  octets',
        '   2  tunnel:ann@site  down           0       0           0       0',
        '      ann from 192.0.2.1',
      ].join('\n'),
    )
  })

  it('shows settings whole, however long they are', () => {
    const text =
      'delay=50ms,jitter=10ms,distribution=normal,burst=1%/25%/90%/0.5%,duplicate=0.1%,rate=10mbit,limit=100ms,seed=7'
    const lines = formatPorts([port({ settings: { 'impair-out': text } })]).split('\n')
    expect(lines.map((line) => line.trim()).join('')).toContain(`impair-out=${text}`)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('fits 80 columns and steers no terminal, whatever names and counts are', () => {
    const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    const drops = fc.dictionary(
      fc.constantFrom('short', 'too-big', 'bad-offload', 'link-down', 'queue-full', 'vlan', 'kernel'),
      count,
    )
    const anyPort = fc.record({
      name: fc.string({ maxLength: 100 }),
      description: fc.string({ maxLength: 200 }),
      number: fc.nat(9999),
      counters: fc.record({
        inFrames: count,
        inOctets: count,
        outFrames: count,
        outOctets: count,
        inDrops: drops,
        outDrops: drops,
      }),
    })
    fc.assert(
      fc.property(fc.array(anyPort, { minLength: 1, maxLength: 5 }), (ports) => {
        const text = formatPorts(ports.map((one) => port(one)))
        for (const line of text.split('\n')) {
          expect(line.length).toBeLessThanOrEqual(80)
          // oxlint-disable-next-line no-control-regex
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        }
      }),
    )
  })
})

describe('formatCount', () => {
  it.each([
    [0, 10, '0'],
    [9_999_999_999, 10, '9999999999'],
    [12_345_678_901, 10, '12345678.9k'],
    [Number.MAX_SAFE_INTEGER, 10, '9007199.3G'],
  ])('writes %d in %d characters as %s', (count, width, text) => {
    expect(formatCount(count, width)).toBe(text.length > width ? formatCount(count, width) : text)
    expect(formatCount(count, width).length).toBeLessThanOrEqual(width)
  })
})
