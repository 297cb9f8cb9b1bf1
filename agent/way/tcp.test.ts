import { readdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'

import { afterEach, describe, expect, it, vi } from 'vitest'

import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { connectTcp, explain, type TcpConnection, type TcpOptions } from '#agent/way/tcp.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const descriptors = (): number => readdirSync('/proc/self/fd').length

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

async function listen(): Promise<number> {
  const accepted: Socket[] = []
  const server = createServer((socket) => accepted.push(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.close()
    for (const socket of accepted) socket.destroy()
  })
  return portOf(server)
}

const connected = (port: number, options: Partial<TcpOptions> = {}): Promise<TcpConnection> =>
  connectTcp({
    host: '127.0.0.1',
    port,
    deadlineMs: 5000,
    signal: new AbortController().signal,
    ...options,
  })

async function failure(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ExitError)
  expect(error).toHaveProperty('exitCode', EXIT_UNREACHABLE)
  return error instanceof Error ? error.message : ''
}

const refuse = (): never => {
  throw new Error('no filter')
}

describe('connectTcp', () => {
  it.each(['127.0.0.1', 'localhost'])(
    'connects to %s, tells its address before, and times it',
    async (host) => {
      const port = await listen()
      const onAddress = vi.fn<(address: string, to: number) => void>()
      const { socket, roundTripMs } = await connected(port, { host, onAddress })
      closers.push(() => socket.destroy())
      expect(socket.remoteAddress).toBe('127.0.0.1')
      expect(onAddress).toHaveBeenLastCalledWith('127.0.0.1', port)
      expect(roundTripMs).toBeGreaterThan(0)
      expect(roundTripMs).toBeLessThan(200)
    },
  )

  it('gives a socket whose later errors throw nothing', async () => {
    const { socket } = await connected(await listen())
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.destroy(new Error('later'))
    expect(await closed).toBe(true)
  })

  it('says when nobody listens', async () => {
    expect(await failure(connected(1))).toBe(
      'cannot reach the hub 127.0.0.1:1: connection refused (does it run, and is the port right?)',
    )
    expect(await failure(connected(1, { host: '::1' }))).toMatch(
      /^cannot reach the hub \[::1\]:1: connection/,
    )
  })

  it('says when there is no such host', async () => {
    expect(await failure(connected(1, { host: 'hub.invalid' }))).toMatch(
      /^cannot reach the hub hub\.invalid:1: (there is no such host name|the host name cannot be looked up now)$/,
    )
  })

  it('says what is wrong with a link-local address without an interface', async () => {
    const message = await failure(connected(1, { host: 'fe80::1' }))
    expect(message).toMatch(/^cannot reach the hub \[fe80::1\]:1: .*needs its interface: fe80::1%eth0/)
  })

  it('ends when it is aborted, before and after it began', async () => {
    const onAddress = vi.fn<() => void>()
    const abort = new AbortController()
    const lookingUp = failure(connected(1, { host: 'localhost', signal: abort.signal, onAddress }))
    abort.abort()
    expect(await lookingUp).toBe('cannot reach the hub localhost:1: ended on request')
    expect(await failure(connected(1, { signal: abort.signal, onAddress }))).toContain('ended on request')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(onAddress).not.toHaveBeenCalled()
  })

  it('keeps no descriptor of 250 attempts that fail or are ended, nor a listener', async () => {
    const port = await listen()
    const abort = new AbortController()
    const added = vi.spyOn(abort.signal, 'addEventListener')
    const removed = vi.spyOn(abort.signal, 'removeEventListener')
    const failing = (): Promise<string> => failure(connected(1, { signal: abort.signal }))
    /** Ended by what `soon` calls, which is given it before the attempt starts. */
    const ended = (soon: (end: () => void) => void): Promise<string> => {
      const each = new AbortController()
      const onAddress = (): void => soon(() => each.abort())
      return failure(connected(port, { signal: each.signal, onAddress }))
    }
    await failing()
    const before = descriptors()
    for (let i = 0; i < 50; i++) {
      expect(await failing()).toContain('refused')
      expect(await ended((end) => end())).toContain('ended on request')
      expect(await ended((end) => queueMicrotask(end))).toContain('ended on request') // there is a socket
      expect(await ended((end) => process.nextTick(() => process.nextTick(end)))).toContain(
        'ended on request',
      ) // a SYN was sent
      expect(await failure(connected(port, { onAddress: refuse }))).toContain('no filter')
    }
    await vi.waitFor(() => expect(descriptors()).toBe(before))
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length)
  })
})

const at = (address: string, error?: Error) => ({ address, error })

describe('explain', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const noRoute = Object.assign(new Error('connect'), { code: 'ENETUNREACH' })
  const refusal = 'connection refused (does it run, and is the port right?)'

  it('gives the reason alone when there is one', () => {
    expect(explain([at('10.0.0.1', refused)], 2000)).toBe(refusal)
    expect(explain([at('10.0.0.1', refused), at('fd00::1', refused)], 2000)).toBe(refusal)
    expect(explain([at('10.0.0.1'), at('fd00::1')], 2350)).toBe('no answer within 2.4 s')
  })

  it('names the addresses when reasons differ', () => {
    expect(explain([at('fd00::1', noRoute), at('10.0.0.1', refused)], 2000)).toBe(
      `fd00::1: no route to its network; 10.0.0.1: ${refusal}`,
    )
    expect(explain([at('fd00::1', noRoute), at('fd00::2', noRoute), at('10.0.0.1')], 10_000)).toBe(
      'fd00::1 and 1 more: no route to its network; 10.0.0.1: no answer within 10.0 s',
    )
  })

  it('says when there was no address yet', () => {
    expect(explain([], 10_000)).toBe('its name was not looked up within 10.0 s')
  })

  it('takes the words of an error that it does not know', () => {
    expect(explain([at('10.0.0.1', new Error('it rains'))], 2000)).toBe('it rains')
  })
})
