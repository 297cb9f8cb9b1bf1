import { once } from 'node:events'
import net from 'node:net'
import { expect, it } from 'vitest'
import { preferCubicNearby } from '#net/port/tunnel-socket.ts'

it('switches a connection on this machine, and leaves alone what is none', async () => {
  const server = net.createServer((socket) => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const socket = net.connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
  await once(socket, 'connect')
  expect(preferCubicNearby(socket)).toBe(true)
  socket.destroy()
  expect(preferCubicNearby(socket)).toBe(false)
  expect(preferCubicNearby(new net.Socket())).toBe(false)
  server.close()
})
