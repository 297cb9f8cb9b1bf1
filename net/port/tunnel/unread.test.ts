import net from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { holdWhileUnread } from '#net/port/tunnel/unread.ts'

const MOST = 100_000

let heard: number
let hub: net.Socket
let peer: net.Socket
let server: net.Server

beforeEach(async () => {
  server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve))
  const address = server.address()
  peer = net.connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
  hub = await accepted
  hub.on('error', () => {})
  peer.on('error', () => {})
  heard = 0
  hub.on('data', (chunk: Buffer) => (heard += chunk.length))
  holdWhileUnread(hub, () => MOST)
})
afterEach(() => {
  hub.destroy()
  peer.destroy()
  server.close()
  vi.useRealTimers()
})

/** Answers until the system takes no more, and so much beyond. */
function answer(octets: number): void {
  while (hub.writableLength < octets) hub.write(Buffer.alloc(50_000))
}

const say = (octets: number): Promise<void> =>
  new Promise((resolve) => peer.write(Buffer.alloc(octets), () => resolve()))

it('hears a peer on that does not read a little', async () => {
  answer(1)
  await say(1000)
  await vi.waitFor(() => expect(heard).toBe(1000))
  await say(1000)
  await vi.waitFor(() => expect(heard).toBe(2000))
})

it('does not hear a peer that leaves much unread, until it has read', async () => {
  answer(MOST * 2)
  await say(1000)
  await vi.waitFor(() => expect(hub.isPaused()).toBe(true))
  expect(heard).toBe(1000)
  await say(1000)
  expect(heard).toBe(1000)
  peer.resume()
  await vi.waitFor(() => expect(heard).toBe(2000))
})

it('lets go of a peer that never reads', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  answer(MOST * 2)
  await say(1000)
  for (let i = 0; i < 1000 && !hub.isPaused(); i++) await new Promise(setImmediate)
  expect(hub.destroyed).toBe(false)
  vi.advanceTimersByTime(60_000)
  expect(hub.destroyed).toBe(true)
})
