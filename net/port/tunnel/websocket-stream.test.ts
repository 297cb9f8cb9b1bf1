import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { MAX_MESSAGE, MESSAGE_OPTIONS, WebSocketStream } from '#net/port/tunnel/websocket-stream.ts'
import { listen } from '#test/support/loopback.ts'

let ours: WebSocketStream
let peer: WebSocketStream
let peerSocket: WebSocket
let below: Socket
const sockets = new WebSocketServer({ ...MESSAGE_OPTIONS, noServer: true })
const server = createServer()

beforeEach(async () => {
  const port = await listen(server)
  const accepted = new Promise<WebSocketStream>((resolve) => {
    server.once('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      sockets.handleUpgrade(request, socket, head, (ws) => resolve(new WebSocketStream(ws, socket))),
    )
  })
  below = connect(port, '127.0.0.1')
  await once(below, 'connect')
  peerSocket = new WebSocket(
    `ws://127.0.0.1:${port}/`,
    Object.assign({ ...MESSAGE_OPTIONS }, { createConnection: () => below }),
  )
  await once(peerSocket, 'open')
  peer = new WebSocketStream(peerSocket, below)
  ours = await accepted
  for (const stream of [ours, peer]) stream.on('error', () => {})
})
afterEach(() => {
  ours.destroy()
  peer.destroy()
  server.close()
})

async function read(stream: Duplex, octets: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  await new Promise<void>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size >= octets) resolve()
    })
  })
  return Buffer.concat(chunks)
}

const pattern = (octets: number): Buffer =>
  Buffer.from(Array.from({ length: octets }, (_, i) => (i * 7) % 251))

it('carries octets in order both ways, whatever they are written in', async () => {
  const octets = pattern(500_000)
  for (const [from, to] of [[ours, peer] as const, [peer, ours] as const]) {
    const got = read(to, octets.length)
    let at = 0
    for (let size = 0; at < octets.length; size = (size * 3 + 1) % 40_000) {
      from.cork()
      from.write(octets.subarray(at, at + size))
      from.write(Buffer.alloc(0))
      from.write(octets.subarray(at + size, at + size + 10))
      from.uncork()
      at += size + 10
    }
    expect((await got).equals(octets)).toBe(true)
  }
})

it('tells the writer when the peer does not read, keeps little of what comes, and goes on when it is read', async () => {
  const piece = Buffer.alloc(32_768)
  let written = 0
  // More than the system's buffers at both ends would take.
  while (written < 64 << 20) {
    written += piece.length
    if (!ours.write(piece))
      await Promise.race([once(ours, 'drain'), new Promise((resolve) => setTimeout(resolve, 500))])
    if (ours.writableNeedDrain) break
  }
  expect(written).toBeLessThan(64 << 20)
  expect(ours.writableLength).toBeLessThan(1 << 20)
  expect(peer.readableLength).toBeLessThan(MAX_MESSAGE)
  expect((await read(peer, written)).length).toBe(written)
})

it('has written what the system has taken', async () => {
  await new Promise((resolve) => ours.write(Buffer.alloc(10_000), resolve))
  expect(ours.writableLength).toBe(0)
})

it('ends when the peer does, behind what that has written', async () => {
  const got = read(ours, 5)
  peer.resume().end('hello')
  expect((await got).toString()).toBe('hello')
  await vi.waitFor(() => expect([ours.destroyed, peer.destroyed]).toEqual([true, true]))
})

/** Of a frame, masked with zeros: RFC 6455 §5.2. */
const header = (first: number, octets: number): Buffer =>
  Buffer.from([first, 0xff, 0, 0, 0, 0, 0, octets >> 16, (octets >> 8) & 0xff, octets & 0xff, 0, 0, 0, 0])
const FIRST_FRAGMENT = 0x02
const NEXT_FRAGMENT = 0x00
const WHOLE = 0x82

async function sendOctetByOctet(octets: number): Promise<void> {
  below.setNoDelay().write(header(WHOLE, MAX_MESSAGE))
  for (let i = 0; i < octets && !ours.destroyed; i++) {
    below.write('x')
    await turn()
  }
}

it.each<[string, () => unknown]>([
  ['text', () => peerSocket.send('text')],
  ['a message that is too long', () => peerSocket.send(Buffer.alloc(MAX_MESSAGE + 1))],
  [
    'a message of very many fragments',
    () =>
      below.write(
        Buffer.concat(
          Array.from({ length: 4000 }, (_, i) =>
            Buffer.concat([header(i === 0 ? FIRST_FRAGMENT : NEXT_FRAGMENT, 1), Buffer.alloc(1)]),
          ),
        ),
      ),
  ],
  ['a message octet by octet', () => sendOctetByOctet(6000)],
  ['what is no message', () => void below.write(Buffer.alloc(100, 0xff))],
  ['nothing more', () => void below.destroy()],
])('ends with a peer that sends %s', async (_what, send) => {
  ours.resume()
  send()
  await vi.waitFor(() => expect(ours.destroyed).toBe(true))
})
