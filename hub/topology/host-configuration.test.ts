import { describe, expect, it } from 'vitest'
import type { HostConfiguration } from '#hub/base/host-configuration.ts'
import { readHostConfiguration } from '#hub/topology/host-configuration.ts'

const KNOWN = ['em0', 'em1', 'em2', 'em3']
function read(text: string): HostConfiguration {
  const result = readHostConfiguration(text, KNOWN)
  if ('value' in result) return result.value
  throw new Error(JSON.stringify(result.faults))
}
const faults = (text: string): string[] => {
  const result = readHostConfiguration(text, KNOWN)
  return 'faults' in result ? result.faults.map((one) => `${one.line}:${one.column} ${one.reason}`) : []
}

describe('a host configuration', () => {
  it('is all that can be said', () => {
    const { interfaces, ...rest } = read(`interfaces:
  em1: { addresses: [192.0.2.11/24, 2001:db8::11/64], gateway: 192.0.2.1 }
  em2: { dhcp: true }
  em3:
    slaac: true
    mtu: 9000
    gateway: [fe80::1]
  em0:
routes: [ "198.51.100.0/24 via 192.0.2.1", default via fe80::2 dev em1 ]
nameservers: [192.0.2.53, 2001:db8::53]
services: [ssh, http]
run: |
  echo hello > /tmp/x
`)
    const none = { addresses: [], gateways: [], dhcp: false, slaac: false, mtu: undefined }
    expect(Object.entries(interfaces)).toEqual([
      [
        'em1',
        {
          ...none,
          addresses: [
            { address: '192.0.2.11', length: 24 },
            { address: '2001:db8::11', length: 64 },
          ],
          gateways: ['192.0.2.1'],
        },
      ],
      ['em2', { ...none, dhcp: true }],
      ['em3', { ...none, slaac: true, mtu: 9000, gateways: ['fe80::1'] }],
      ['em0', none],
    ])
    expect(rest).toEqual({
      routes: [
        { destination: { address: '198.51.100.0', length: 24 }, gateway: '192.0.2.1' },
        { destination: { address: '::', length: 0 }, gateway: 'fe80::2', interface: 'em1' },
      ],
      nameservers: ['192.0.2.53', '2001:db8::53'],
      services: ['ssh', 'http'],
      run: 'echo hello > /tmp/x\n',
    })
  })
  it('may be empty', () => {
    for (const text of ['', '# nothing\n', '{}'])
      expect(read(text)).toEqual({
        interfaces: {},
        routes: [],
        nameservers: [],
        services: [],
        run: '',
      })
  })
  it.each([
    [
      'interfaces: { em9: { dhcp: true } }',
      ['1:15 interfaces.em9: the device has no such interface; it has em0, em1, em2, em3'],
    ],
    ['interfaces:\n  em1: { adresses: [] }', ['2:10 interfaces.em1.adresses: unknown setting']],
    [
      'interfaces:\n  em1:\n    addresses: [192.0.2.1/33, 192.0.2.1, fe80::1%em1/64]',
      [
        '3:17 interfaces.em1.addresses.0: "192.0.2.1/33" is no address with a prefix length, as 192.0.2.11/24 or 2001:db8::11/64',
        '3:31 interfaces.em1.addresses.1: "192.0.2.1" is no address with a prefix length, as 192.0.2.11/24 or 2001:db8::11/64',
        '3:42 interfaces.em1.addresses.2: "fe80::1%em1/64" is no address with a prefix length, as 192.0.2.11/24 or 2001:db8::11/64',
      ],
    ],
    [
      'interfaces:\n  em1: { addresses: [192.0.2.11/24], gateway: 192.0.3.1 }',
      ["2:38 interfaces.em1.gateway: 192.0.3.1 is in no network of the interface's addresses"],
    ],
    [
      'interfaces:\n  em1: { addresses: [192.0.2.11/24], gateway: [192.0.2.1, 192.0.2.2] }',
      ['2:38 interfaces.em1.gateway: two gateways are of different families: IPv4 and IPv6'],
    ],
    [
      'routes: [10.0.0.0/8]',
      [
        '1:10 routes.0: "10.0.0.0/8" is no route, as "198.51.100.0/24 via 192.0.2.1" or "default via fe80::1 dev em1"',
      ],
    ],
    [
      'routes: ["::/0 via 192.0.2.1"]',
      ['1:10 routes.0: "::/0 via 192.0.2.1": ::/0 and 192.0.2.1 are of different families'],
    ],
    [
      'routes: ["::/0 via fe80::1"]',
      ['1:10 routes.0: fe80::1 may be on any link: say which, as "via fe80::1 dev em1"'],
    ],
    ['routes: ["::/0 via fe80::1 dev eth0"]', ['1:10 routes.0: the device has no interface eth0']],
    [
      'routes: ["0.0.0.0/0 via 192.0.2.1"]',
      ["1:10 routes.0: 192.0.2.1 is in no network of the interfaces' addresses"],
    ],
    ['services: [ftp]', ['1:12 services.0: Invalid option: expected one of "ssh"|"http"']],
    ['interfaces: { em1: { mtu: 10 } }', ['1:22 interfaces.em1.mtu: Too small: expected number to be >=68']],
    ['interfaces: {', ['1:14 Flow map in block collection must be sufficiently indented and end with a }']],
  ])('%s', (text, expected) => {
    expect(faults(text)).toEqual(expected)
  })
  it('may have routes to what DHCP will tell', () => {
    expect(faults('interfaces: { em1: { dhcp: true } }\nroutes: ["10.0.0.0/8 via 192.0.2.1"]')).toEqual([])
  })
})
