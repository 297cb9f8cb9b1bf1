/** Which proxy, if any: `http://[USER[:PASSWORD]@]HOST[:PORT]`, `https://`, `socks5://`, `none`. */
import { isIPv6 } from 'node:net'

import { formatHubAddress } from '#agent/hub-address.ts'
import type { Endpoint } from '#agent/way/way.ts'
import { ConfigError } from '#net/base/errors.ts'

const KINDS = { http: 80, https: 443, socks5: 1080 } as const

/** Octets of a user name, and of a password: RFC 1929 §2. */
const LONGEST_LOGIN = 255

export interface ProxyAddress {
  readonly kind: keyof typeof KINDS
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
}

export interface Login {
  readonly user: string
  readonly password: string
}

/** Without name and password. */
export const nameOfProxy = ({ host, port }: ProxyAddress): string => formatHubAddress(host, port)

export const proxyEndpoint = ({ host, port }: ProxyAddress): Endpoint => ({ what: 'the proxy', host, port })

/**
 * @param source  where the text was found, for the message, which does not repeat the text: a password may be in it
 * @returns undefined for `none`
 * @throws ConfigError
 */
export function parseProxy(text: string, source: string): ProxyAddress | undefined {
  if (text.toLowerCase() === 'none') return undefined
  const bad = (why: string): ConfigError =>
    new ConfigError(
      `${source} is no proxy: ${why}; expected http://HOST:PORT, https://..., socks5://... or none`,
    )
  if (!URL.canParse(text)) throw bad('it is no URL')
  const url = new URL(text)
  const scheme = url.protocol.slice(0, -1)
  const kind = scheme === 'socks5h' || scheme === 'socks' ? 'socks5' : scheme
  if (kind !== 'http' && kind !== 'https' && kind !== 'socks5')
    throw bad(`${scheme} is not spoken here${scheme === 'socks4' ? ' (socks5 is)' : ''}`)
  if (url.hostname === '') throw bad('there is no host')
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') throw bad('there is a path')
  let user: string
  let password: string
  try {
    user = decodeURIComponent(url.username)
    password = decodeURIComponent(url.password)
  } catch {
    throw bad('"%" in a name or password is to be written as %25')
  }
  if (Math.max(Buffer.byteLength(user), Buffer.byteLength(password)) > LONGEST_LOGIN)
    throw bad('name or password is too long')
  if (user.includes(':')) throw bad('a user name cannot have a colon')
  const bracketed = /^\[(.+)\]$/.exec(url.hostname)?.[1]
  return {
    kind,
    host: bracketed ?? url.hostname,
    port: url.port === '' ? KINDS[kind] : Number(url.port),
    user: user === '' ? undefined : user,
    password: password === '' ? undefined : password,
  }
}

/**
 * What the environment says for https URLs, as curl and others read it: `https_proxy`, `all_proxy`, unless `no_proxy` names
 * the host; capitals too. A proxy without a scheme is one of HTTP.
 */
export function webProxyOf(
  env: NodeJS.ProcessEnv,
  host: string,
): { text: string; source: string } | undefined {
  const exempt = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  if (exempt.split(/[\s,]+/).some((entry) => exempts(entry, host))) return undefined
  for (const name of ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']) {
    const text = env[name]
    if (text) return { text: /^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`, source: `$${name}` }
  }
  return undefined
}

/** `example.org` and `.example.org` are the domain and what is below it; `*` is everything. */
function exempts(entry: string, host: string): boolean {
  if (entry === '') return false
  if (entry === '*') return true
  const plain = entry.replace(/^\[(.+)\](:\d+)?$/, '$1')
  const name = (isIPv6(plain) ? plain : plain.replace(/:\d+$/, '')).replace(/^\*?\./, '').toLowerCase()
  const whole = host.toLowerCase()
  return whole === name || whole.endsWith(`.${name}`)
}
