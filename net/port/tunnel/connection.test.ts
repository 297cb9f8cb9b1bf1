import { once } from 'node:events'
import net from 'node:net'
import { expect, it } from 'vitest'
import { TunnelConnection } from '#net/port/tunnel/connection.ts'

const OCTETS = 300_000

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
    path.writes(0, (now += 1000))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(path.ackedOctets).toBeGreaterThanOrEqual(OCTETS)
  expect(path.leastRoundTripMs).toBeGreaterThan(0)
  expect(path.roundTripMs).toBeGreaterThanOrEqual(path.leastRoundTripMs)
  const before = path.ackedOctets
  socket.destroy()
  await once(socket, 'close')
  path.writes(0, now + 1000)
  expect(path.ackedOctets).toBe(before)
  expect(() => new TunnelConnection(new net.Socket(), true).writes(1, 1)).not.toThrow()
  server.close()
})
