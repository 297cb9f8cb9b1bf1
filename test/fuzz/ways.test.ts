/** A proxy, or a web server, that answers anything: the agent gets a connection, or says why not. */
import { createServer } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ExitError } from '#agent/exit-codes.ts'
import { httpProxyWay } from '#agent/way/http-proxy.ts'
import { parseProxy, type ProxyAddress } from '#agent/way/proxy-address.ts'
import { proxyLogin } from '#agent/way/proxy-login.ts'
import { socksWay } from '#agent/way/socks.ts'
import { directWay, type Way } from '#agent/way/way.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { listen } from '#test/support/loopback.ts'

const HUB = { what: 'the hub', host: 'hub.example', port: 2222 }
const BANNER = 'SSH-2.0-x\r\n'

let port: number
/** What the server says, each when something was said to it; then it hangs up. */
let answers: Uint8Array[] = []
const server = createServer((socket) => {
  const left = [...answers]
  socket.on('error', () => {})
  socket.on('data', () => {
    const next = left.shift()
    if (next !== undefined) socket.write(next)
    if (left.length === 0) socket.end()
  })
})
beforeAll(async () => {
  port = await listen(server)
})
afterAll(() => server.close())

const octets = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
const text = (said: string): Uint8Array => Buffer.from(said)
const any = fc.uint8Array({ maxLength: 300 })

const status = fc.constantFrom('200', '204', '403', '407', '502', '99', '1000', '')
const line = fc.tuple(fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/9'), status, fc.string({ maxLength: 20 }))
const header = fc.oneof(
  fc.constantFrom('content-length: 5', 'transfer-encoding: chunked', 'connection: close', 'upgrade: x'),
  fc.string({ maxLength: 40 }),
)
const http = fc
  .tuple(line, fc.array(header, { maxLength: 4 }), fc.constantFrom('', BANNER))
  .map(([first, headers, rest]) => text(`${[first.join(' '), ...headers].join('\r\n')}\r\n\r\n${rest}`))

const address = fc.oneof(
  fc.constant(octets(1, 10, 0, 0, 1)),
  fc.constant(octets(4, ...Array<number>(16).fill(1))),
  fc.constant(octets(3, 3, 97, 98, 99)),
  any,
)
const reply = fc
  .tuple(fc.nat(9), address, fc.constantFrom('', BANNER))
  .map(([code, bound, rest]) => Buffer.concat([octets(5, code, 0), bound, octets(0, 22), text(rest)]))
const socks = fc.tuple(
  fc.oneof(fc.constantFrom(octets(5, 2), octets(5, 0), octets(5, 255), octets(4, 0)), any),
  fc.oneof(fc.constantFrom(octets(1, 0), octets(1, 1)), reply, any),
  fc.oneof(reply, any),
)

it.each<[string, ProxyAddress['kind'], fc.Arbitrary<Uint8Array[]>]>([
  ['HTTP', 'http', fc.array(fc.oneof(http, any), { minLength: 1, maxLength: 2 })],
  ['SOCKS', 'socks5', socks],
])(
  'a proxy of %s may say anything',
  async (_name, kind, said) => {
    const proxy = parseProxy(`${kind}://ann:secret@127.0.0.1:${port}`, 'the test')
    if (proxy === undefined) throw new Error('no proxy')
    const login = proxyLogin(proxy)
    const trust = { ca: undefined, fingerprint: undefined }
    const way: Way =
      kind === 'http' ? httpProxyWay(proxy, login, trust, directWay) : socksWay(proxy, login, directWay)
    const { signal } = new AbortController()
    await fc.assert(
      fc.asyncProperty(said, async (script) => {
        answers = script
        const outcome: unknown = await way(HUB, { lastRoundTripMs: 0, ask: undefined, signal }).then(
          ({ socket, stream }) => {
            stream.on('error', () => {})
            socket.destroy()
            return 'connected'
          },
          (error: unknown) => error,
        )
        expect(outcome === 'connected' || outcome instanceof ExitError).toBe(true)
        expect(String(outcome)).not.toMatch(/secret|TypeError|undefined/)
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
