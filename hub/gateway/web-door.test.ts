import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Caller } from '#hub/gateway/caller.ts'
import { MAX_UNAUTHENTICATED_PER_ADDRESS } from '#hub/gateway/limits.ts'
import { listenShared } from '#hub/gateway/listen.ts'
import { WebDoor } from '#hub/gateway/web-door.ts'
import { listen } from '#test/support/loopback.ts'

const PATH = '/lab'
const UPGRADE =
  'host: hub\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
  'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

let callers: Caller[]
let door: WebDoor
let port: number
let clients: Socket[]

/** Any port that is free now. */
async function somePort(): Promise<number> {
  const server = createServer()
  const free = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return free
}

async function open(isProxied: boolean): Promise<void> {
  callers = []
  clients = []
  door = new WebDoor({
    path: PATH,
    certificate: undefined,
    onCaller: (caller) => callers.push(caller),
    log: pino({ level: 'silent' }),
  })
  port = await somePort()
  await door.listen(listenShared('127.0.0.1', port), isProxied)
}
afterEach(() => {
  vi.useRealTimers()
  for (const socket of clients) socket.destroy()
  for (const { socket } of callers) socket.destroy()
  door.close()
})

function client(): Socket {
  const socket = connect(port, '127.0.0.1')
  clients.push(socket)
  return socket.on('error', () => {})
}

/** The first line of the answer. */
async function ask(text: string): Promise<string> {
  const socket = client()
  socket.write(text)
  const [answer]: Buffer[] = await once(socket, 'data')
  return answer?.toString().split('\r\n')[0] ?? ''
}

describe('behind a reverse proxy', () => {
  beforeEach(() => open(true))

  it.each([
    ['10.1.2.3', '10.1.2.3', ''],
    ['1.1.1.1, 10.1.2.3', '10.1.2.3', ''],
    ['1.1.1.1,fd00::1', 'fd00::1', ''],
    ['::ffff:10.1.2.3', '10.1.2.3', ''],
    ['10.1.2.3, unknown', '127.0.0.1', '127.0.0.1'],
    ['', '127.0.0.1', '127.0.0.1'],
  ])('takes the last address that it is told: %j', async (said, peerAddress, localAddress) => {
    const header = said === '' ? '' : `x-forwarded-for: ${said}\r\n`
    expect(await ask(`GET ${PATH} HTTP/1.1\r\n${UPGRADE}${header}\r\n`)).toBe(
      'HTTP/1.1 101 Switching Protocols',
    )
    expect(callers).toMatchObject([{ peerAddress, localAddress }])
  })

  it.each([
    ['another path', `GET /other HTTP/1.1\r\n${UPGRADE}\r\n`, 404],
    ['a page in a browser', `GET ${PATH} HTTP/1.1\r\n${UPGRADE}origin: https://evil.example\r\n\r\n`, 403],
    ['no WebSocket', `GET ${PATH} HTTP/1.1\r\nhost: hub\r\n\r\n`, 426],
    ['no WebSocket on another path', 'POST / HTTP/1.1\r\nhost: hub\r\ncontent-length: 9\r\n\r\n', 404],
    ['another version', `GET ${PATH} HTTP/1.1\r\n${UPGRADE.replace('13', '12')}\r\n`, 400],
    ['no HTTP', 'SSH-2.0-x\r\n', 400],
    ['too long a header', `GET ${PATH} HTTP/1.1\r\n${UPGRADE}x: ${'y'.repeat(9000)}\r\n\r\n`, 431],
  ])('lets nobody in for %s', async (_what, text, status) => {
    expect(await ask(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(callers).toEqual([])
  })

  it('does not wait for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const half = client()
    half.write('GET ')
    const whole = client()
    whole.write(`GET ${PATH} HTTP/1.1\r\n${UPGRADE}\r\n`)
    await once(whole, 'data')
    vi.advanceTimersByTime(10_000)
    await once(half, 'close')
    expect([whole.destroyed, callers.length]).toEqual([false, 1])
  })
})

describe('with TLS', () => {
  beforeEach(() => open(false))

  it('has so many unfinished connections of one address, and no more', async () => {
    const waiting = Array.from({ length: MAX_UNAUTHENTICATED_PER_ADDRESS }, client)
    await Promise.all(waiting.map((socket) => once(socket, 'connect')))
    await once(client(), 'close')
    expect(waiting.some((socket) => socket.destroyed)).toBe(false)
    waiting[0]?.destroy()
    // When the door has heard of that, there is room for another one.
    await vi.waitFor(async () => {
      const socket = client()
      const left = await Promise.race([
        once(socket, 'close'),
        new Promise((resolve) => setTimeout(resolve, 100)),
      ])
      expect(left).toBeUndefined()
    })
  })

  it('closes what does not speak it', async () => {
    const socket = client()
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    expect(callers).toEqual([])
  })
})
