import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { TunnelConnection } from '#net/port/tunnel/connection.ts'

vi.mock('#net/port/libc.ts', async (original) => {
  const real = await original<typeof libc>()
  return { ...real, ioctl: vi.fn<typeof real.ioctl>(real.ioctl) }
})
const ioctl = vi.mocked(libc.ioctl)

const asked = (): number[] => ioctl.mock.calls.map(([, what]) => what)

const OCTETS = 300_000
const SIOCOUTQ = 0x5411
const SIOCOUTQNSD = 0x894b

it('reads what a connection has sent, and leaves alone one that is closed', async () => {
  const server = net.createServer((socket) => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const socket = net.connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
  await once(socket, 'connect')
  const path = new TunnelConnection(socket, true)
  await new Promise<void>((resolve, reject) => {
    socket.write(Buffer.alloc(OCTETS), (error) => (error ? reject(error) : resolve()))
  })
  let now = 0
  for (let i = 0; i < 200 && path.ackedOctets < OCTETS; i++) {
    path.wrote(0, (now += 1000))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(path.ackedOctets).toBeGreaterThanOrEqual(OCTETS)
  expect(path.leastRoundTripMs).toBeGreaterThan(0)
  expect(path.roundTripMs).toBeGreaterThanOrEqual(path.leastRoundTripMs)
  const before = path.ackedOctets
  socket.destroy()
  await once(socket, 'close')
  path.wrote(0, now + 1000)
  expect(path.ackedOctets).toBe(before)
  expect(() => new TunnelConnection(new net.Socket(), true).wrote(1, 1)).not.toThrow()
  server.close()
})

describe('TunnelConnection.excess', () => {
  let server: net.Server
  let peer: net.Socket
  let socket: net.Socket
  let path: TunnelConnection
  beforeEach(async () => {
    server = net.createServer({ pauseOnConnect: true }, (made) => (peer = made)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    socket = net.connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
    await Promise.all([once(socket, 'connect'), once(server, 'connection')])
    path = new TunnelConnection(socket, true)
    ioctl.mockClear()
  })
  afterEach(() => {
    socket.destroy()
    peer.destroy()
    server.close()
  })

  it('counts what is written, and asks the system no sooner than it may be too much', () => {
    path.wrote(0, 0) // reads the connection, which sets the limit
    const { limit } = path.pace
    expect(path.excess()).toBe(-limit)
    path.wrote(1000, 1)
    ioctl.mockClear()
    expect(path.excess()).toBe(1000 - limit)
    path.wrote(limit - 1001, 1)
    expect(path.excess()).toBe(-1)
    expect(asked()).toEqual([])
    path.wrote(1, 2)
    // Nothing was written in truth.
    expect(path.excess()).toBe(-limit)
    expect(asked()).toEqual([SIOCOUTQ])
    expect(path.excess()).toBe(-limit)
    expect(asked()).toEqual([SIOCOUTQ])
  })

  it('tells what waits for a far side that does not read, until it reads', async () => {
    const octets = Buffer.alloc(16 << 20)
    socket.write(octets)
    path.wrote(octets.length, 0)
    const { limit } = path.pace
    const waiting = await vi.waitUntil(() => {
      const before = path.excess() + limit
      return before > 0 && path.excess() + limit === before && before
    })
    expect(waiting).toBeGreaterThan(100_000)
    expect(waiting).toBeLessThan(octets.length)
    peer.resume()
    await vi.waitUntil(() => path.excess() < 0, { timeout: 5000 })
  })

  it('asks for what is unsent when others fill the path, and for what is under way when they have gone', () => {
    const isCrowded = vi.spyOn(path.pace, 'isCrowded', 'get')
    for (const [crowded, what] of [
      [true, SIOCOUTQNSD],
      [false, SIOCOUTQ],
    ] as const) {
      path.wrote(1e6, 0)
      isCrowded.mockReturnValue(crowded)
      ioctl.mockClear()
      path.excess()
      expect(asked()).toEqual([what])
    }
  })

  it('counts anew when others come, or go', () => {
    const isCrowded = vi.spyOn(path.pace, 'isCrowded', 'get').mockReturnValue(false)
    let now = 0
    let comes = true
    vi.spyOn(path.pace, 'read').mockImplementation(() => isCrowded.mockReturnValue(comes))
    for (const what of [SIOCOUTQNSD, SIOCOUTQ]) {
      path.wrote(1, (now += 1000))
      ioctl.mockClear()
      path.excess()
      expect(asked()).toEqual([what])
      comes = false
    }
  })
})
