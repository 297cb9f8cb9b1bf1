/** Where the hub is: `HOST`, `HOST:PORT`, `[::1]:2222`, `::1`, `wss://HOST[:PORT][/PATH]`. */
import { isIPv6 } from 'node:net'

import { ConfigError } from '#net/base/errors.ts'

export const DEFAULT_HUB_PORT = 2222
const HTTPS_PORT = 443

export interface HubAddress {
  readonly host: string
  /** Undefined when the text has none. */
  readonly port: number | undefined
}

/** A hub that is reached through HTTPS. */
export interface HubUrl {
  readonly host: string
  readonly port: number
  /** Begins with `/`. */
  readonly path: string
}

/** @returns undefined for what is no URL @throws ConfigError */
export function parseHubUrl(text: string): HubUrl | undefined {
  const [, scheme, authority = '', path = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(text) ?? []
  if (scheme === undefined) return undefined
  if (scheme.toLowerCase() !== 'wss')
    throw new ConfigError(`bad hub address ${text}: expected HOST, HOST:PORT or wss://HOST[:PORT][/PATH]`)
  if (authority.includes('@')) throw new ConfigError(`bad hub address: the user goes to -u, not into the URL`)
  const { host, port } = parseHubAddress(authority)
  if (!/^(\/[\w.~!$&'()*+,;=:@%/-]*)?$/.test(path))
    throw new ConfigError(`bad hub address ${text}: expected letters, digits and / in the path`)
  return { host, port: port ?? HTTPS_PORT, path: path === '' ? '/' : path }
}

/**
 * @param what  it is the address of, for the message
 * @throws ConfigError
 */
export function parseHubAddress(text: string, what = 'hub'): HubAddress {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text)
  if (bracketed !== null) {
    const host = bracketed[1] ?? ''
    if (!isIPv6(host)) throw new ConfigError(`bad ${what} address ${text}: ${host} is not an IPv6 address`)
    return { host, port: parsePort(bracketed[2], text, what) }
  }
  if (isIPv6(text)) return { host: text, port: undefined }
  const [host = '', port, ...rest] = text.split(':')
  if (rest.length > 0)
    throw new ConfigError(`bad ${what} address ${text}: write an IPv6 address with a port as [ADDRESS]:PORT`)
  if (!/^[\p{L}\p{N}_]([\p{L}\p{N}._-]*[\p{L}\p{N}_.])?$/u.test(host) || host.length > 255) {
    throw new ConfigError(`bad ${what} address ${text}: expected HOST or HOST:PORT`)
  }
  return { host, port: parsePort(port, text, what) }
}

function parsePort(text: string | undefined, whole: string, what: string): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65535) return port
  throw new ConfigError(`bad ${what} address ${whole}: the port must be 1 to 65535`)
}

/** `host:port` for people, an IPv6 host in brackets. */
export const formatHubAddress = (host: string, port: number): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`
