/** Console options of a bridge: `mgmt`, `mgmt=PATH`, `mgmtmode=OCTAL`. */
import { isAbsolute, join } from 'node:path'
import { ConfigError } from '#net/base/errors.ts'

export const MGMT_OPTIONS = ['mgmt', 'mgmtmode']

/** Where a bridge's management console listens. */
export interface MgmtConfig {
  /** Absolute. */
  readonly path: string
  /** Permissions of the socket. */
  readonly mode: number
}

/** What is said of it; without a path it is in the data directory. */
export interface MgmtOptions {
  readonly path: string | undefined
  readonly mode: number
}

/** sockaddr_un, unix(7). */
const LONGEST_PATH = 107

/** @param options  by name, as written @returns undefined when there is to be no console @throws ConfigError */
export function parseMgmtOptions(
  bridge: string,
  options: Readonly<Record<string, string>>,
): MgmtOptions | undefined {
  const { mgmt: path, mgmtmode: mode = '600' } = options
  if (path === undefined) {
    if (options['mgmtmode'] === undefined) return undefined
    throw new ConfigError(`bridge ${bridge}: mgmtmode says nothing without mgmt`)
  }
  if (path !== '' && !isAbsolute(path))
    throw new ConfigError(
      `bridge ${bridge}: name the console's socket from / on, as mgmt=/run/${bridge}.mgmt`,
    )
  if (!/^0?[0-7]{3}$/.test(mode))
    throw new ConfigError(`bridge ${bridge}: mgmtmode is three octal digits, as 660, not "${mode}"`)
  return { path: path === '' ? undefined : path, mode: Number.parseInt(mode, 8) }
}

/** @param data  the data directory, absolute @throws ConfigError */
export function mgmtConfig(bridge: string, { path, mode }: MgmtOptions, data: string): MgmtConfig {
  const chosen = path ?? join(data, 'vde', `${bridge}.mgmt`)
  const octets = Buffer.byteLength(chosen)
  if (octets <= LONGEST_PATH) return { path: chosen, mode }
  throw new ConfigError(
    `bridge ${bridge}: the console's socket ${chosen} has ${octets} octets, ${LONGEST_PATH} at most ` +
      '(name a shorter one with mgmt=PATH)',
  )
}
