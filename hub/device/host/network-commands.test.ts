import { describe, expect, it } from 'vitest'
import type { HostInterface } from '#hub/base/host-configuration.ts'
import type { Lease } from '#hub/device/host/lease.ts'
import { kernelSettings, leaseLines, linkLines, routeLines } from '#hub/device/host/network-commands.ts'

const SILENT: HostInterface = { addresses: [], gateways: [], dhcp: false, slaac: false }

describe('a host configuration', () => {
  it('is these lines of ip', () => {
    const interfaces = {
      em0: { ...SILENT, dhcp: true },
      em1: {
        ...SILENT,
        addresses: [
          { address: '192.0.2.11', length: 24 },
          { address: '2001:db8::11', length: 64 },
        ],
        gateways: ['192.0.2.1', 'fe80::1'],
        mtu: 9000,
      },
    }
    expect(linkLines(interfaces)).toEqual([
      'link set dev lo up',
      'link set dev em0 up',
      'link set dev em1 mtu 9000',
      'link set dev em1 up',
      'address replace 192.0.2.11/24 dev em1 brd +',
      'address replace 2001:db8::11/64 dev em1 nodad',
      'route replace default via 192.0.2.1 dev em1',
      'route replace default via fe80::1 dev em1',
    ])
    expect(
      routeLines([
        { destination: { address: '198.51.100.0', length: 24 }, gateway: '192.0.2.1' },
        { destination: { address: '::', length: 0 }, gateway: 'fe80::1', interface: 'em1' },
      ]),
    ).toEqual(['route replace 198.51.100.0/24 via 192.0.2.1', 'route replace ::/0 via fe80::1 dev em1'])
  })
  it('lets only those ask for routers that are to', () => {
    const settings = new Map(kernelSettings({ em1: SILENT, em2: { ...SILENT, slaac: true } }))
    const of = (name: string) =>
      ['accept_ra', 'autoconf', 'router_solicitations'].map((key) =>
        settings.get(`net/ipv6/conf/${name}/${key}`),
      )
    expect([of('em1'), of('em2')]).toEqual([
      ['0', '0', '0'],
      ['2', '1', '-1'],
    ])
  })
})

describe('a lease', () => {
  const lease: Lease = {
    address: 0xc0000264,
    length: 24,
    routes: [
      { destination: '0.0.0.0/0', gateway: '192.0.2.1' },
      { destination: '10.0.0.1/32', gateway: '0.0.0.0' },
    ],
    nameservers: [],
    domain: '',
    seconds: 100,
    renewSeconds: 50,
    rebindSeconds: 87,
  }
  const address = 'address replace 192.0.2.100/24 brd + dev em1 valid_lft 100 preferred_lft 100'
  const routes = [
    'route replace 0.0.0.0/0 via 192.0.2.1 onlink dev em1 proto dhcp metric 100',
    'route replace 10.0.0.1/32 dev em1 proto dhcp metric 100',
  ]
  it('comes, goes on and goes', () => {
    expect(leaseLines('em1', undefined, lease)).toEqual([address, ...routes])
    expect(leaseLines('em1', lease, { ...lease })).toEqual([address, ...routes])
    expect(leaseLines('em1', lease, undefined)).toEqual(['address delete 192.0.2.100/24 dev em1'])
  })
  it('changes', () => {
    expect(leaseLines('em1', lease, { ...lease, routes: lease.routes.slice(0, 1) })).toEqual([
      address,
      'route delete 10.0.0.1/32 dev em1 proto dhcp',
      ...routes.slice(0, 1),
    ])
    expect(leaseLines('em1', { ...lease, address: 0xc0000265 }, lease)[0]).toBe(
      'address delete 192.0.2.101/24 dev em1',
    )
  })
})
