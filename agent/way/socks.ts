/** The way through a SOCKS proxy: version 5, RFC 1928, with name and password, RFC 1929. The proxy looks names up. */
import { setImmediate as turn } from 'node:timers/promises'

import { SocksClient } from 'socks'

import { EXIT_REFUSED, EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { type Login, proxyEndpoint, type ProxyAddress } from '#agent/way/proxy-address.ts'
import { type AskLogin, refusedLogin } from '#agent/way/proxy-login.ts'
import { type Endpoint, nameOf, stepDeadlineMs, take, type Way } from '#agent/way/way.ts'
import { reasonOf } from '#net/base/errors.ts'

/** Octets of a host's name (RFC 1928 §5), of a user's and of a password (RFC 1929 §2). */
const LONGEST = 255

/** @param login  asked at each attempt; undefined: none */
export const socksWay =
  (proxy: ProxyAddress, login: AskLogin, below: Way): Way =>
  async (to, attempt) => {
    const endpoint = proxyEndpoint(proxy)
    const who = await login(attempt.ask)
    if ([to.host, who?.user, who?.password].some((text) => Buffer.byteLength(text ?? '') > LONGEST))
      throw new ExitError(
        EXIT_REFUSED,
        `${nameOf(endpoint)} takes names and passwords of ${LONGEST} octets at most, as SOCKS5 has it`,
      )
    const connection = await below(endpoint, attempt)
    const { stream } = connection
    const began = performance.now()
    await take(connection, attempt, nameOf(endpoint), async () => {
      try {
        await SocksClient.createConnection({
          proxy: {
            host: endpoint.host,
            port: endpoint.port,
            type: 5,
            ...(who && { userId: who.user, password: who.password }),
          },
          command: 'connect',
          destination: { host: to.host, port: to.port },
          existing_socket: stream,
          timeout: stepDeadlineMs(attempt.lastRoundTripMs),
        })
      } catch (error) {
        throw new ExitError(EXIT_UNREACHABLE, refusal(reasonOf(error), endpoint, to, who), { cause: error })
      }
      // What came behind the proxy's answer is told at the next turn, whoever listens, and the stream let flow.
      const early: Buffer[] = []
      const keep = (chunk: Buffer): void => void early.push(chunk)
      stream.on('data', keep)
      await turn()
      stream.pause().off('data', keep)
      for (const chunk of early.toReversed()) stream.unshift(chunk)
    })
    return { ...connection, address: to.host, roundTripMs: performance.now() - began }
  }

/** What the package says, in words that tell what to do. */
function refusal(said: string, proxy: Endpoint, to: Endpoint, login: Login | undefined): string {
  const name = nameOf(proxy)
  const target = nameOf(to)
  const code = /rejected connection - (\w+)/.exec(said)?.[1]
  switch (code) {
    case undefined:
      break
    case 'NotAllowed':
      return `${name} does not allow a connection to ${target}: have it allowed, or serve the hub on another port`
    case 'NetworkUnreachable':
    case 'HostUnreachable':
      return `${name} cannot reach ${target}: no route to it, or no such name`
    case 'ConnectionRefused':
      return `${name} cannot reach ${target}: connection refused (is the hub running, and is the port right?)`
    case 'TTLExpired':
      return `${name} cannot reach ${target}: no answer`
    default:
      return `${name} does not connect to ${target}, and gives no reason that is known`
  }
  if (/authentication type|Authentication failed/i.test(said))
    return refusedLogin(name, 'socks5', login, 'SOCKS5')
  if (/timed out/i.test(said)) return `${name} does not answer in time`
  if (/Socket closed/i.test(said)) return `${name} closed the connection`
  return `${name} does not answer as a SOCKS5 proxy: ${said} (is the port right?)`
}
