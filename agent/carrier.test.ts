import { connect, createServer, type AddressInfo, type Server } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { ownersOf, plainAddress, refuseCarrier, withLowers } from '#agent/carrier.ts'
import { EXIT_CARRIES_TUNNEL } from '#agent/exit-codes.ts'

describe('ownersOf', () => {
  const interfaces = {
    lo: [{ address: '127.0.0.1' }],
    br0: [{ address: '10.0.0.1' }, { address: '::1' }],
    down: undefined,
  }
  it('finds the interface by its address, v4 in v6 too, or by its zone', () => {
    expect(ownersOf('::ffff:10.0.0.1', interfaces)).toEqual(['br0'])
    expect(ownersOf('fe80::1%eth0', interfaces)).toEqual(['eth0'])
    expect(ownersOf('10.0.0.2', interfaces)).toEqual([])
  })
})

describe('withLowers', () => {
  it('goes down through bridges, bonds and VLANs, and ends in circles', () => {
    const lowers: Record<string, string[]> = {
      br0: ['bond0', 'tap0'],
      bond0: ['eth0', 'eth1'],
      eth0: ['br0'],
    }
    expect([...withLowers(['br0'], (name) => lowers[name] ?? [])].sort()).toEqual([
      'bond0',
      'br0',
      'eth0',
      'eth1',
      'tap0',
    ])
  })
})

it('knows an IPv4 address in IPv6 clothes', () => {
  expect([plainAddress('::ffff:10.0.0.1'), plainAddress('::ffff:a')]).toEqual(['10.0.0.1', '::ffff:a'])
})

describe('refuseCarrier', () => {
  let server: Server
  beforeAll(async () => {
    server = createServer((socket) => socket.end())
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
  })
  afterAll(() => {
    server.close()
  })

  it('refuses the interface that a real connection uses, with the remedy, and no other', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    await expect(refuseCarrier('lo', socket)).rejects.toMatchObject({
      exitCode: EXIT_CARRIES_TUNNEL,
      message: expect.stringContaining('bridge a second interface') as string,
    })
    await expect(refuseCarrier('eth9', socket)).resolves.toBeUndefined()
    socket.destroy()
  })
})
