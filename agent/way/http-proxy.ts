/** The way through an HTTP proxy: CONNECT, RFC 9110 §9.3.6, with Basic authentication, RFC 7617. */
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'

import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import { excerpt } from '#agent/excerpt.ts'
import { type Login, proxyEndpoint, type ProxyAddress } from '#agent/way/proxy-address.ts'
import { type AskLogin, refusedLogin } from '#agent/way/proxy-login.ts'
import { secure, type Trust } from '#agent/way/tls.ts'
import { type Endpoint, nameOf, take, type Way } from '#agent/way/way.ts'
import { reasonOf } from '#net/base/errors.ts'

const MAX_HEADER_OCTETS = 8192

/**
 * @param login  asked at each attempt; undefined: none
 * @param trust  of a proxy that is reached through TLS
 */
export const httpProxyWay =
  (proxy: ProxyAddress, login: AskLogin, trust: Trust, below: Way): Way =>
  async (to, attempt) => {
    const endpoint = proxyEndpoint(proxy)
    const who = await login(attempt.ask)
    const plain = await below(endpoint, attempt)
    const connection = proxy.kind === 'https' ? await secure(plain, endpoint, trust, attempt) : plain
    const began = performance.now()
    await take(connection, attempt, nameOf(endpoint), () => connect(connection.stream, proxy, to, who))
    return { ...connection, address: to.host, roundTripMs: performance.now() - began }
  }

function connect(stream: Duplex, proxy: ProxyAddress, to: Endpoint, login: Login | undefined): Promise<void> {
  const path = formatHubAddress(to.host, to.port)
  return new Promise((resolve, reject) => {
    const ask = request({
      method: 'CONNECT',
      path,
      setHost: false,
      headers: { host: path, ...(login && { 'proxy-authorization': basic(login) }) },
      maxHeaderSize: MAX_HEADER_OCTETS,
      createConnection: () => stream,
    })
    ask.once('connect', (answer, _socket, head) => {
      // It waits for who speaks on the stream next.
      stream.pause()
      if (head.length > 0) stream.unshift(head)
      const refusal = refusalOf(answer, proxy, to, login)
      if (refusal === undefined) resolve()
      else reject(new ExitError(EXIT_UNREACHABLE, refusal))
    })
    ask.once('response', () => ask.destroy(new Error('it answers as a web server does')))
    ask.on('error', (error) =>
      reject(
        new ExitError(
          EXIT_UNREACHABLE,
          `${nameOf(proxyEndpoint(proxy))} does not answer as an HTTP proxy: ${excerpt(reasonOf(error))} (is the port right?)`,
          { cause: error },
        ),
      ),
    )
    ask.end()
  })
}

/** Why the proxy does not connect, and what to do; undefined when it does. */
function refusalOf(
  answer: IncomingMessage,
  proxy: ProxyAddress,
  to: Endpoint,
  login: Login | undefined,
): string | undefined {
  const name = nameOf(proxyEndpoint(proxy))
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return undefined
  const said = `${status} ${excerpt((answer.statusMessage ?? '').slice(0, 100))}`.trim()
  if (status === 407 || status === 401) return refusedLogin(name, proxy.kind, login, said)
  const target = nameOf(to)
  if (status === 403 || status === 405)
    return (
      `${name} does not allow a connection to ${target} (${said}): have it allowed, or serve the hub on a ` +
      'port that is (443 as a rule: hybridge serve --https, hconnect -s wss://HOST)'
    )
  if (status >= 500) return `${name} cannot reach ${target} (${said})`
  return `${name} refuses to connect to ${target} (${said})`
}

const basic = ({ user, password }: Login): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
