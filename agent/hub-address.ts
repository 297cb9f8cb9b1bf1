/** Where the hub is: `HOST`, `HOST:PORT`, `[::1]:2222`, `::1`. */
import { isIPv6 } from 'node:net'

import { ConfigError } from '#net/base/errors.ts'

export const DEFAULT_HUB_PORT = 2222

export interface HubAddress {
  readonly host: string
  /** Undefined when the text has none. */
  readonly port: number | undefined
}

/** @throws ConfigError */
export function parseHubAddress(text: string): HubAddress {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text)
  if (bracketed !== null) {
    const host = bracketed[1] ?? ''
    if (!isIPv6(host)) throw new ConfigError(`bad hub address ${text}: ${host} is not an IPv6 address`)
    return { host, port: parsePort(bracketed[2], text) }
  }
  if (isIPv6(text)) return { host: text, port: undefined }
  const [host = '', port, ...rest] = text.split(':')
  if (rest.length > 0)
    throw new ConfigError(`bad hub address ${text}: write an IPv6 address with a port as [ADDRESS]:PORT`)
  if (!/^[\p{L}\p{N}_]([\p{L}\p{N}._-]*[\p{L}\p{N}_.])?$/u.test(host) || host.length > 255) {
    throw new ConfigError(`bad hub address ${text}: expected HOST or HOST:PORT`)
  }
  return { host, port: parsePort(port, text) }
}

function parsePort(text: string | undefined, whole: string): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65535) return port
  throw new ConfigError(`bad hub address ${whole}: the port must be 1 to 65535`)
}

/** `host:port` for people, an IPv6 host in brackets. */
export const formatHubAddress = (host: string, port: number): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`
