import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEndpoint } from '#hub/metrics/endpoint.ts'

let collected: number
let failures: unknown[]
let collect: () => Promise<string>
let server: http.Server
let port: number

beforeEach(async () => {
  collected = 0
  failures = []
  collect = () => Promise.resolve(`metric ${++collected}\n`)
  server = createEndpoint(
    () => collect(),
    (error) => failures.push(error),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address: string | AddressInfo | null = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const ask = (path: string, method = 'GET'): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { method })

/** Sends octets. @returns all that comes until the server closes */
async function say(text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let heard = ''
  socket.on('data', (chunk) => (heard += String(chunk)))
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return heard
}

describe('the endpoint', () => {
  it('answers GET and HEAD of /metrics', async () => {
    const answer = await ask('/metrics?x=1')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await answer.text()).toBe('metric 1\n')
    const head = await ask('/metrics', 'HEAD')
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '9', ''])
  })

  it('refuses everything else', async () => {
    expect((await ask('/')).status).toBe(404)
    expect((await ask('/metrics/')).status).toBe(404)
    const posted = await ask('/metrics', 'POST')
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(collected).toBe(0)
  })

  it('refuses what is no HTTP, and long headers', async () => {
    expect(await say('nonsense\r\n\r\n')).toContain('400 Bad Request')
    expect(await say(`GET /metrics HTTP/1.1\r\nx: ${'y'.repeat(9000)}\r\n\r\n`)).toContain(' 431 ')
  })

  it('gives one answer to all who ask within a moment', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => (await ask('/metrics')).text()))
    expect(new Set(answers).size).toBe(1)
    expect(collected).toBe(1)
    await expect.poll(async () => (await ask('/metrics')).text(), { timeout: 5000 }).toBe('metric 2\n')
  })

  it('tells a failure, and goes on', async () => {
    const good = collect
    collect = () => Promise.reject(new Error('broken'))
    expect((await ask('/metrics')).status).toBe(500)
    expect(failures).toEqual([new Error('broken')])
    collect = good
    await expect.poll(async () => (await ask('/metrics')).status, { timeout: 5000 }).toBe(200)
  })

  it('ends connections that say nothing, or too slowly', async () => {
    const slow = net.connect(port, '127.0.0.1')
    slow.on('error', () => {})
    const drip = setInterval(() => slow.write('x'), 500)
    slow.write('GET /metrics HTTP/1.1\r\nx: ')
    const silent = net.connect(port, '127.0.0.1')
    silent.on('error', () => {})
    slow.resume()
    silent.resume()
    await Promise.all([once(slow, 'close'), once(silent, 'close')])
    clearInterval(drip)
    expect((await ask('/metrics')).status).toBe(200)
  }, 30_000)

  it('takes a few connections at once only', async () => {
    const sockets = Array.from({ length: 40 }, () => net.connect(port, '127.0.0.1'))
    let closed = 0
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.on('close', () => closed++)
      socket.resume()
    }
    await expect.poll(() => closed, { timeout: 5000 }).toBe(8)
    for (const socket of sockets) socket.destroy()
  })
})
