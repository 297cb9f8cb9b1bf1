import net from 'node:net'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { bindTcp, ipv6Octets, listenShared, probeAddress } from '#hub/gateway/listen.ts'
import { freePort } from '#hub/supervisor/free-port.ts'

const hex = (address: string): string => Buffer.from(ipv6Octets(address)).toString('hex')

/** By Node's own parser: an address is in the /128 of itself, and in no other. */
function same(a: string, b: string): boolean {
  const list = new net.BlockList()
  list.addSubnet(a, 128, 'ipv6')
  return list.check(b, 'ipv6')
}

const full = (octets: Uint8Array): string =>
  (Buffer.from(octets).toString('hex').match(/.{4}/g) ?? []).join(':')

describe('ipv6Octets', () => {
  it.each([
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['fd00::1:2', 'fd000000000000000000000000010002'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:255.255.255.255', '000100020003000400050006ffffffff'],
  ])('reads %s', (text, octets) => {
    expect(hex(text)).toBe(octets)
  })

  it('reads every address as Node reads it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        fc.pre(net.isIPv6(text))
        expect(same(full(ipv6Octets(text)), text)).toBe(true)
      }),
    )
  })

  it('reads what is shortened anywhere', () => {
    const groups = fc.array(fc.constantFrom('0', '1', 'ff', 'abcd'), { minLength: 0, maxLength: 7 })
    fc.assert(
      fc.property(groups, fc.nat(7), (all, where) => {
        const text = `${all.slice(0, where).join(':')}::${all.slice(where).join(':')}`
        fc.pre(net.isIPv6(text))
        expect(same(full(ipv6Octets(text)), text)).toBe(true)
      }),
    )
  })
})

describe('listenShared', () => {
  const opened: number[] = []
  const keep = (fd: number): number => {
    opened.push(fd)
    return fd
  }
  afterEach(() => {
    for (const fd of opened.splice(0)) libc.close(fd)
  })

  it.each(['127.0.0.1', '::1'])('lets several have one port of %s, and tells a probe', (address) => {
    const port = freePort(address)
    expect(port).toBeGreaterThan(0)
    probeAddress(address, port)
    keep(listenShared(address, port))
    keep(listenShared(address, port))
    expect(() => probeAddress(address, port)).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE', message: expect.stringContaining('--ssh') }),
    )
  })

  it('is refused where somebody listens who does not share', () => {
    const port = freePort('127.0.0.1')
    keep(bindTcp('127.0.0.1', port, { shared: false, backlog: 1 }))
    expect(() => listenShared('127.0.0.1', port)).toThrow(
      `cannot listen on 127.0.0.1:${port}: address already in use`,
    )
  })

  it('says when no interface has the address', () => {
    expect(() => listenShared('192.0.2.1', 2222)).toThrow(
      /^cannot listen on 192\.0\.2\.1:2222: .*no interface/,
    )
    expect(() => listenShared('2001:db8::1', 2222)).toThrow(/^cannot listen on \[2001:db8::1\]:2222: /)
  })

  it.each(['127.0.0.1', '::1'])('accepts connections at %s', async (host) => {
    const port = freePort(host)
    const server = net.createServer((socket) => socket.end('hello'))
    await new Promise<void>((resolve) => server.listen({ fd: listenShared(host, port) }, resolve))
    const socket = net.connect({ host, port })
    const [text] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk) => resolve([chunk])))
    expect(String(text)).toBe('hello')
    await new Promise((resolve) => server.close(resolve))
  })
})
