import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_REQUEST, RpcClient, type RpcServer, serveRpc } from '#net/base/rpc.ts'

let directory: string
let path: string
const open: { close(): unknown }[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-rpc-'))
  path = join(directory, 'rpc.sock')
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  rmSync(directory, { recursive: true })
})

function keep<T extends { close(): unknown }>(one: T): T {
  open.push(one)
  return one
}

/** Sends text as it is. @returns all that the server says until it closes */
async function say(text: string): Promise<string> {
  const socket = net.connect(path)
  let heard = ''
  socket.on('data', (chunk) => (heard += String(chunk)))
  socket.write(text)
  await once(socket, 'close')
  return heard
}

describe('serveRpc', () => {
  it('answers with what the handler returns, or its refusal', async () => {
    const { ProtocolError } = await import('#net/base/errors.ts')
    keep(
      await serveRpc(path, {
        add: ({ a, b }) => Number(a) + Number(b),
        nothing: () => undefined,
        refuse: () => {
          throw new ProtocolError('unknown-bridge', 'no bridge x')
        },
      }),
    )
    const client = keep(new RpcClient(path))
    expect(
      await Promise.all([client.call('add', { a: 1, b: 2 }), client.call('add', { a: 5, b: 5 })]),
    ).toEqual([3, 10])
    expect(await client.call('nothing')).toBeNull()
    await expect(client.call('refuse')).rejects.toMatchObject({
      code: 'unknown-bridge',
      message: 'no bridge x',
    })
    await expect(client.call('constructor')).rejects.toMatchObject({ code: 'unknown-op' })
  })

  it('survives a handler that fails, and tells the peer nothing of it', async () => {
    const failures: unknown[] = []
    keep(
      await serveRpc(
        path,
        {
          fail: () => Promise.reject(new Error('secret detail')),
          loop: () => {
            const ring: { self?: object } = {}
            ring.self = ring
            return ring
          },
          ok: () => 1,
        },
        { onFailure: (op, error) => failures.push([op, error]) },
      ),
    )
    const client = keep(new RpcClient(path))
    await expect(client.call('fail')).rejects.toMatchObject({
      code: 'internal',
      message: 'internal error, see the log',
    })
    await expect(client.call('loop')).rejects.toMatchObject({ code: 'internal' })
    expect(await client.call('ok')).toBe(1)
    expect(failures).toHaveLength(2)
  })

  it.each([
    ['no JSON', 'GET / HTTP/1.1\n', 'malformed'],
    ['no object', '[1]\n', 'malformed'],
    ['no id', '{"op":"x"}\n', 'malformed'],
    ['an id that is no integer', '{"id":1.5,"op":"x"}\n', 'malformed'],
    ['an endless line', 'x'.repeat(MAX_REQUEST + 70_000), 'too-long'],
  ])('answers %s and closes the connection', async (_what, text, code) => {
    keep(await serveRpc(path, {}))
    const heard = await say(text)
    expect(JSON.parse(heard)).toMatchObject({ id: null, ok: false, error: { code } })
  })

  it('runs a bounded number of requests of a connection at once, and all in the end', async () => {
    let running = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    }
    keep(await serveRpc(path, { slow }, { maxInFlight: 3 }))
    const client = keep(new RpcClient(path))
    await Promise.all(Array.from({ length: 50 }, () => client.call('slow')))
    expect(most).toBe(3)
  })

  it('takes requests that arrive octet by octet', async () => {
    keep(await serveRpc(path, { echo: ({ text }) => text }))
    const socket = net.connect(path)
    socket.setNoDelay(true)
    for (const octet of Buffer.from('{"id":7,"op":"echo","text":"häß"}\n')) {
      await new Promise((resolve) => socket.write(Buffer.of(octet), resolve))
    }
    const [answer] = await once(socket, 'data')
    expect(JSON.parse(String(answer))).toEqual({ id: 7, ok: true, result: 'häß' })
    socket.destroy()
  })

  it('does not read from a peer that does not read its answers', async () => {
    let calls = 0
    const big = 'x'.repeat(100_000)
    const bigger = () => {
      calls++
      return big
    }
    keep(await serveRpc(path, { big: bigger }, { maxInFlight: 2 }))
    const socket = net.connect(path).pause()
    await once(socket, 'connect')
    const requests = Array.from({ length: 1000 }, (_, id) => `{"id":${id},"op":"big"}\n`).join('')
    await new Promise((resolve) => socket.write(requests, resolve))
    // Another connection is served meanwhile, which also shows that time has passed.
    const client = keep(new RpcClient(path))
    for (let i = 0; i < 20; i++) await client.call('big')
    expect(calls).toBeLessThan(60)
    socket.destroy()
  })

  it('makes a socket file of its owner only, and removes it', async () => {
    const server = await serveRpc(path, {})
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await server.close()
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('replaces a stale socket file, but neither a live one nor another file', async () => {
    await leaveStaleSocket(path)
    expect(statSync(path).isSocket()).toBe(true)
    keep(await serveRpc(path, { ok: () => 1 }))
    expect(await keep(new RpcClient(path)).call('ok')).toBe(1)
    await expect(serveRpc(path, {})).rejects.toThrow(/another process serves there/)
    writeFileSync(join(directory, 'file'), '')
    await expect(serveRpc(join(directory, 'file'), {})).rejects.toThrow(/is no socket/)
  })

  it('tells handlers that their connection is gone', async () => {
    const gone = new Promise<void>((resolve) => {
      void serveRpc(path, {
        wait: (_params, { signal }) =>
          new Promise<void>((done) =>
            signal.addEventListener('abort', () => {
              done()
              resolve()
            }),
          ),
      }).then(keep)
    })
    await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined)
    const client = new RpcClient(path)
    const call = client.call('wait')
    await new Promise((resolve) => setImmediate(resolve))
    client.close()
    await expect(call).rejects.toMatchObject({ code: 'disconnected' })
    await gone
  })
})

describe('RpcClient', () => {
  it('reconnects when the server has been away', async () => {
    const client = keep(new RpcClient(path))
    await expect(client.call('ok')).rejects.toMatchObject({ name: 'SystemError', code: 'ENOENT' })
    let server: RpcServer = await serveRpc(path, { ok: () => 1 })
    expect(await client.call('ok')).toBe(1)
    await server.close()
    await expect(client.call('ok')).rejects.toThrow(/rpc.sock/)
    server = keep(await serveRpc(path, { ok: () => 2 }))
    expect(await client.call('ok')).toBe(2)
  })

  it('gives up a call that takes too long, and only that one', async () => {
    keep(await serveRpc(path, { never: () => new Promise(() => {}), ok: () => 1 }))
    const client = keep(new RpcClient(path))
    await expect(client.call('never', {}, 30)).rejects.toMatchObject({ code: 'timeout' })
    expect(await client.call('ok')).toBe(1)
  })

  it('refuses to queue without bound', async () => {
    keep(await serveRpc(path, { never: () => new Promise(() => {}) }))
    const client = new RpcClient(path, { maxWaiting: 2 })
    const waiting = [client.call('never'), client.call('never')].map((call) =>
      expect(call).rejects.toThrow(/closed/),
    )
    await expect(client.call('never')).rejects.toMatchObject({ code: 'busy' })
    client.close()
    await Promise.all(waiting)
  })

  it('fails all calls when the server talks nonsense', async () => {
    const server = net.createServer((socket) => {
      socket.end('nonsense\n')
    })
    server.listen(path)
    await once(server, 'listening')
    keep({ close: () => server.close() })
    const client = keep(new RpcClient(path))
    await expect(client.call('x')).rejects.toMatchObject({ code: 'malformed' })
  })
})

/** Leaves a socket file that nobody listens on, as a killed process does. */
async function leaveStaleSocket(at: string): Promise<void> {
  const { spawnSync } = await import('node:child_process')
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
