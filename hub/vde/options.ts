/** VDE options of a bridge: `vde`, `vde=DIR`, `vdemode=OCTAL`, `vdegroup=GROUP`, and where its directory is. */
import { isAbsolute, join, resolve } from 'node:path'
import { ConfigError } from '#net/base/errors.ts'
import { checkDirectoryLength, type VdeConfig } from '#hub/vde/directory.ts'

export const VDE_OPTIONS = ['vde', 'vdemode', 'vdegroup']

/** What is said of a bridge's VDE directory. */
export interface VdeOptions {
  /** Its path; empty: under the data directory. Undefined: as `--vde` says. */
  readonly directory?: string
  readonly mode?: number
  readonly group?: string
}

/** @param options  by name, as written @throws ConfigError */
export function parseVdeOptions(bridge: string, options: Readonly<Record<string, string>>): VdeOptions {
  const { vde: directory, vdemode: mode, vdegroup: group } = options
  if (directory !== undefined && directory !== '' && !isAbsolute(directory))
    throw new ConfigError(`bridge ${bridge}: name the VDE directory from / on, as vde=/run/vde/${bridge}`)
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode))
    throw new ConfigError(`bridge ${bridge}: vdemode is three octal digits, as 660, not "${mode}"`)
  if (group === '') throw new ConfigError(`bridge ${bridge}: vdegroup is the name of a group`)
  return {
    ...(directory !== undefined && { directory }),
    ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
    ...(group !== undefined && { group }),
  }
}

/**
 * The directory of a bridge; undefined when it has none.
 * @param common  of `--vde`: has a directory for each bridge
 * @param data  the data directory, absolute
 * @throws ConfigError
 */
export function vdeConfig(
  bridge: string,
  { directory, mode, group }: VdeOptions,
  common: string | undefined,
  data: string,
): VdeConfig | undefined {
  const own = directory === '' ? join(data, 'vde', bridge) : directory
  const path = own ?? (common === undefined ? undefined : join(common, bridge))
  if (path === undefined) {
    if (mode === undefined && group === undefined) return undefined
    throw new ConfigError(`bridge ${bridge}: vdemode and vdegroup say nothing without vde or --vde DIR`)
  }
  const absolute = resolve(path)
  checkDirectoryLength(absolute)
  return { directory: absolute, mode, group }
}
