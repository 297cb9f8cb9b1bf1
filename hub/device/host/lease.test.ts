import { describe, expect, it } from 'vitest'
import { BOOT_REPLY, type DhcpMessage } from '#net/wire/dhcp.ts'
import { ipv4Number } from '#net/wire/ip-address.ts'
import { type Lease, leaseOf } from '#hub/device/host/lease.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const LEASE_TIME = { 51: '00000064' }

function lease(options: Record<number, string>, address = '192.0.2.100'): Lease | undefined {
  const message: DhcpMessage = {
    operation: BOOT_REPLY,
    transaction: 1,
    seconds: 0,
    wantsBroadcast: false,
    clientAddress: 0,
    yourAddress: ipv4Number(address),
    relayAddress: 0,
    mac: new Uint8Array(6),
    options: new Map(Object.entries(options).map(([code, hex]) => [Number(code), bytes(hex)])),
  }
  return leaseOf(message)
}

const domain = (text: string) => lease({ ...LEASE_TIME, 15: Buffer.from(text).toString('hex') })?.domain

describe('a lease', () => {
  it('is what a server says', () => {
    const told = {
      ...LEASE_TIME,
      1: 'ffffffc0',
      3: 'c0000201 c0000202',
      6: 'c0000235 00000000 c0000236 c0000237 c0000238',
      15: Buffer.from('lab.example').toString('hex'),
      58: '00000014',
      59: '00000028',
    }
    expect(lease(told)).toEqual({
      address: ipv4Number('192.0.2.100'),
      length: 26,
      routes: [{ destination: '0.0.0.0/0', gateway: '192.0.2.1' }],
      nameservers: ['192.0.2.53', '192.0.2.54', '192.0.2.55'],
      domain: 'lab.example',
      seconds: 100,
      renewSeconds: 20,
      rebindSeconds: 40,
    })
  })
  it('has defaults (RFC 2131 §4.4.5, classes of RFC 791)', () => {
    expect(lease(LEASE_TIME)).toMatchObject({ length: 24, renewSeconds: 50, rebindSeconds: 87.5, routes: [] })
    expect(lease(LEASE_TIME, '10.0.0.1')?.length).toBe(8)
    expect(lease(LEASE_TIME, '172.16.0.1')?.length).toBe(16)
  })
  it('takes classless routes in place of the router (RFC 3442)', () => {
    expect(
      lease({
        ...LEASE_TIME,
        3: 'c0000201',
        121: '00 c0000201 18 c63364 c0000202 20 0a000001 00000000 09 0aff c0000203',
      })?.routes,
    ).toEqual([
      { destination: '0.0.0.0/0', gateway: '192.0.2.1' },
      { destination: '198.51.100.0/24', gateway: '192.0.2.2' },
      { destination: '10.0.0.1/32', gateway: '0.0.0.0' },
      { destination: '10.128.0.0/9', gateway: '192.0.2.3' },
    ])
    expect(lease({ ...LEASE_TIME, 121: '21 c6336400 c0000202' })?.routes).toEqual([])
    expect(lease({ ...LEASE_TIME, 121: '18 c63364 c00002' })?.routes).toEqual([])
    expect(lease({ ...LEASE_TIME, 121: '18 c63364 e0000001' })?.routes).toEqual([])
  })
  it.each([
    ['no address', {}, '0.0.0.0'],
    ['a group address', {}, '239.0.0.1'],
    ['loopback', {}, '127.0.0.1'],
    ['a mask with holes', { 1: 'ff00ff00' }, '192.0.2.100'],
    ['no time', { 51: '00000000' }, '192.0.2.100'],
    ['hardly any time', { 51: '00000009' }, '192.0.2.100'],
  ])('is none with %s', (_, options, address) => {
    expect(lease({ ...LEASE_TIME, ...options }, address)).toBeUndefined()
  })
  it('for ever is a long time, and a renewal after the end is none', () => {
    expect(lease({ 51: 'ffffffff' })).toMatchObject({ seconds: 2_000_000 })
    expect(lease({ ...LEASE_TIME, 58: '00001000', 59: '00001000' })).toMatchObject({
      renewSeconds: 50,
      rebindSeconds: 87.5,
    })
    expect(lease({ ...LEASE_TIME, 58: '00000020', 59: '00000010' })).toMatchObject({
      renewSeconds: 16,
      rebindSeconds: 16,
    })
  })
  it('names no domain that would be more than a word of resolv.conf', () => {
    expect(domain('lab.example\0')).toBe('lab.example')
    for (const odd of ['a b', 'a\nnameserver 192.0.2.66', '-a', '', '.']) expect(domain(odd)).toBe('')
  })
})
