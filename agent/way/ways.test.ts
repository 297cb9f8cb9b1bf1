/** Ways through proxies that answer badly, or late: what people are told, and what is left open. */
import { createServer, type Socket } from 'node:net'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { EXIT_UNREACHABLE } from '#agent/exit-codes.ts'
import { httpProxyWay } from '#agent/way/http-proxy.ts'
import { parseProxy } from '#agent/way/proxy-address.ts'
import { proxyLogin } from '#agent/way/proxy-login.ts'
import { socksWay } from '#agent/way/socks.ts'
import { type Connection, directWay } from '#agent/way/way.ts'
import { descriptors, listen } from '#test/support/loopback.ts'
import { until } from '#test/support/process.ts'

const HUB = { what: 'the hub', host: 'hub.example', port: 2222 }
const TRUST = { ca: undefined, fingerprint: undefined }

let proxy: (socket: Socket) => void
let port: number
let before: number
const server = createServer((socket) => {
  socket.on('error', () => {})
  proxy(socket)
})
beforeEach(async () => {
  if (!server.listening) port = await listen(server)
  before = descriptors()
})
afterEach(async () => {
  await until('what was opened closed again', () => descriptors() <= before)
})

function go(scheme: 'http' | 'socks5', to = HUB, signal = new AbortController().signal): Promise<Connection> {
  const address = parseProxy(`${scheme}://ann:secret@127.0.0.1:${port}`, 'the test')
  if (address === undefined) throw new Error('no proxy')
  const way =
    scheme === 'http'
      ? httpProxyWay(address, proxyLogin(address), TRUST, directWay)
      : socksWay(address, proxyLogin(address), directWay)
  // The deadline of a step is then 2 s and nothing.
  return way(to, { lastRoundTripMs: 0, ask: undefined, signal })
}

/** Answers each thing that is said with the next of these. */
const answering =
  (...answers: (string | Buffer)[]) =>
  (socket: Socket): void =>
    void socket.on('data', () => {
      const answer = answers.shift()
      if (answer !== undefined) socket.write(answer)
    })
const closing = (socket: Socket): void => void socket.once('data', () => socket.destroy())

/** The octets that come first, and the connection closed. */
async function firstOctets(connection: Connection): Promise<string> {
  const { stream, socket } = connection
  const octets = await new Promise<string>((resolve) => {
    stream.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    stream.resume()
  })
  socket.destroy()
  return octets
}

describe('an HTTP proxy', () => {
  it('is asked for the hub with name and password, and loses nothing that comes at once', async () => {
    let asked = ''
    proxy = (socket) => {
      socket.once('data', (chunk: Buffer) => {
        asked = chunk.toString()
        socket.write('HTTP/1.1 200 fine\r\nvia: x\r\n\r\nSSH-2.0-hub\r\n')
      })
    }
    expect(await firstOctets(await go('http'))).toBe('SSH-2.0-hub\r\n')
    expect(asked).toMatch(/^CONNECT hub\.example:2222 HTTP\/1\.1\r\n/)
    expect(asked).toContain(`Basic ${Buffer.from('ann:secret').toString('base64')}`)
  })

  it.each<[string, string, (socket: Socket) => void]>([
    ['wants another login', 'refuses user ann (407 No)', answering('HTTP/1.1 407 No\r\n\r\n')],
    [
      'forbids',
      'does not allow a connection to the hub hub.example:2222 (403',
      answering('HTTP/1.1 403 F\r\n\r\n'),
    ],
    ['fails', 'cannot reach the hub hub.example:2222 (502 Bad)', answering('HTTP/1.1 502 Bad\r\n\r\n')],
    ['steers terminals', 'refuses to connect to', answering('HTTP/1.1 418 \u001b[2J\r\n\r\n')],
    ['speaks SSH', 'does not answer as an HTTP proxy', answering('SSH-2.0-OpenSSH_9.2\r\n')],
    [
      'says too much',
      'does not answer as an HTTP proxy',
      answering(`HTTP/1.1 200 ${'x: y\r\n'.repeat(5000)}\r\n`),
    ],
    ['hangs up', 'does not answer as an HTTP proxy', closing],
    ['is silent', 'does not answer in time', (socket) => void socket.resume()],
    ['stops half way', 'does not answer in time', answering('HTTP/1.1 200 f')],
  ])('that %s is explained', async (_how, message, behaviour) => {
    proxy = behaviour
    const error: unknown = await go('http').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ exitCode: EXIT_UNREACHABLE, message: expect.stringContaining(message) })
    expect(String(error)).toContain(`the proxy 127.0.0.1:${port}`)
    expect(String(error)).not.toContain('secret')
    expect(String(error)).not.toContain('\u001b')
  })

  it('is left when the agent is to end', async () => {
    const end = new AbortController()
    proxy = () => end.abort()
    await expect(go('http', HUB, end.signal)).rejects.toThrow('ended on request')
  })
})

const reply = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])

describe('a SOCKS proxy', () => {
  const LOGIN = Buffer.from([5, 2])
  const WELCOME = Buffer.from([1, 0])

  it('is given the name, and loses nothing that comes at once', async () => {
    const asked: Buffer[] = []
    const answers = [LOGIN, WELCOME, Buffer.concat([reply(0), Buffer.from('SSH-2.0-hub\r\n')])]
    proxy = (socket) => {
      socket.on('data', (chunk: Buffer) => {
        asked.push(chunk)
        const answer = answers.shift()
        if (answer !== undefined) socket.write(answer)
      })
    }
    expect(await firstOctets(await go('socks5'))).toBe('SSH-2.0-hub\r\n')
    expect(asked[1]?.toString()).toBe('\u0001\u0003ann\u0006secret')
    expect(asked[2]?.toString('latin1')).toBe('\u0005\u0001\u0000\u0003\u000bhub.example\u0008\u00ae')
  })

  it.each<[string, string, (socket: Socket) => void]>([
    ['wants another login', 'refuses user ann', answering(Buffer.from([5, 0xff]))],
    ['refuses the password', 'refuses user ann', answering(LOGIN, Buffer.from([1, 1]))],
    ['forbids', 'does not allow a connection to the hub', answering(LOGIN, WELCOME, reply(2))],
    ['finds no route', 'cannot reach the hub', answering(LOGIN, WELCOME, reply(4))],
    ['is refused', 'connection refused', answering(LOGIN, WELCOME, reply(5))],
    ['says what nobody knows', 'the proxy', answering(LOGIN, WELCOME, reply(99))],
    ['speaks HTTP', 'does not answer as a SOCKS5 proxy', answering('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['hangs up', 'closed the connection', closing],
    ['is silent', 'does not answer in time', (socket) => void socket.resume()],
    ['stops half way', 'does not answer in time', answering(LOGIN, WELCOME, Buffer.from([5, 0, 0, 3, 200]))],
  ])('that %s is explained', async (_how, message, behaviour) => {
    proxy = behaviour
    const error: unknown = await go('socks5').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ exitCode: EXIT_UNREACHABLE, message: expect.stringContaining(message) })
    expect(String(error)).toContain(`the proxy 127.0.0.1:${port}`)
    expect(String(error)).not.toContain('secret')
  })

  it('cannot be told a name that is too long', async () => {
    const host = 'é'.repeat(128)
    await expect(go('socks5', { ...HUB, host })).rejects.toThrow('255 octets at most')
  })
})

it('asks for a password that the address lacks, and keeps it', async () => {
  const address = parseProxy('http://ann@127.0.0.1:3128', 'the test')
  if (address === undefined) throw new Error('no proxy')
  const login = proxyLogin(address)
  await expect(login(undefined)).rejects.toThrow('no password for ann at the proxy 127.0.0.1:3128')
  const asked: string[] = []
  const ask = (question: string): Promise<string> => {
    asked.push(question)
    return Promise.resolve('typed')
  }
  expect(await login(ask)).toEqual({ user: 'ann', password: 'typed' })
  expect(await login(undefined)).toEqual({ user: 'ann', password: 'typed' })
  expect(asked).toEqual(['Password of ann at the proxy 127.0.0.1:3128: '])
})
