/** A topology file, with the files around it if there are any: read, and what is wrong with it. */
import { basename } from 'node:path'

import { DEFINITIONS } from '#hub/topology/definitions/common.ts'
import { checkHostFiles } from '#hub/topology/host-files.ts'
import { checkSizes } from '#hub/topology/sizes.ts'
import { parseConfigs } from '#hub/topology/language/parser.ts'
import { preprocess } from '#hub/topology/language/preprocessor.ts'
import { Diagnostics, type Place, type SourceFile } from '#hub/topology/language/source.ts'
import { resolve } from '#hub/topology/resolve.ts'
import { SWITCHING_FILE, withSwitching } from '#hub/topology/switching.ts'
import type { Topology } from '#hub/topology/topology.ts'

/** The files around a topology file. */
export interface FileSet {
  /** Their paths, `/` between the parts. */
  readonly paths: readonly string[]
  /** @throws SystemError, ConfigError when it cannot be read */
  readonly read: (path: string) => string
}

export interface ReadTopology {
  /** Undefined when there are errors. */
  readonly topology: Topology | undefined
  readonly diagnostics: Diagnostics
}

/** @param set  undefined: the file is alone, and what it installs is not looked for */
export function readTopology(file: SourceFile, set: FileSet | undefined): ReadTopology {
  const diagnostics = new Diagnostics()
  const byBaseName = new Map(set?.paths.toReversed().map((path) => [basename(path), path]))
  const include = (name: string) => {
    const path = byBaseName.get(name)
    if (set !== undefined && path !== undefined)
      return { file: { name: path, text: set.read(path) }, isBuiltin: false }
    const text = DEFINITIONS.get(name)
    return text === undefined ? undefined : { file: { name, text }, isBuiltin: true }
  }
  const tokens = preprocess(file, { include, diagnostics })
  const end = endOf(file)
  if (tokens === undefined) return { topology: undefined, diagnostics }
  const configs = parseConfigs(tokens, end, diagnostics)
  const paths = set && new Set(set.paths)
  // What is missing in a file that cannot be read says nothing.
  if (diagnostics.errors > 0) return { topology: undefined, diagnostics }
  const resolved = resolve(configs, { has: paths && ((path) => paths.has(path)), end, diagnostics })
  const topology =
    resolved !== undefined && set !== undefined && paths?.has(SWITCHING_FILE) === true
      ? withSwitching(resolved, { name: SWITCHING_FILE, text: set.read(SWITCHING_FILE) }, diagnostics)
      : resolved
  if (topology) checkSizes(topology, end, diagnostics)
  if (topology && set) checkHostFiles(topology, (path) => set.read(path), diagnostics)
  return { topology: diagnostics.errors > 0 ? undefined : topology, diagnostics }
}

/** The last line that has something on it. */
function endOf(file: SourceFile): Place {
  const lines = file.text.trimEnd().split('\n')
  return { file, line: lines.length, column: (lines.at(-1)?.trimEnd().length ?? 0) + 1, macro: '' }
}
