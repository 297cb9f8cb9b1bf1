/** A file set as a directory: its files, within the limits of one. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { SourceFile } from '#hub/topology/language/source.ts'
import type { FileSet } from '#hub/topology/read.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'

/** Of a file, and of all together, in octets. */
const MAX_FILE = 1 << 20
const MAX_SET = 10 << 20
const MAX_FILES = 1000
const MAX_DEPTH = 8

export interface TopologyFiles {
  /** The topology file itself. */
  readonly file: SourceFile
  /** Undefined: it is alone. */
  readonly set: FileSet | undefined
}

/** @param path  a topology file, which is then alone, or the directory of a set @throws ConfigError */
export function openTopology(path: string): TopologyFiles {
  const status = lstatOf(path)
  if (!status.isDirectory()) return { file: { name: path, text: readText(path) }, set: undefined }
  const paths = listFiles(path)
  const file = topologyFileOf(path, paths)
  return {
    file: { name: join(path, file), text: readText(join(path, file)) },
    set: { paths, read: (name) => readText(join(path, name)) },
  }
}

function topologyFileOf(directory: string, paths: readonly string[]): string {
  const found = paths.filter((path) => path.endsWith('.vmm') && !path.includes('/'))
  const [first, second] = found
  if (first !== undefined && second === undefined) return first
  if (found.includes('topology.vmm')) return 'topology.vmm'
  if (first === undefined) throw new ConfigError(`${directory} has no topology file: topology.vmm`)
  throw new ConfigError(
    `${directory} has several topology files (${found.join(', ')}): name one of them topology.vmm`,
  )
}

/** Hidden files are not of the set; links are refused. */
function listFiles(root: string): string[] {
  const paths: string[] = []
  let total = 0
  const walk = (below: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw new ConfigError(`${join(root, below)}: directories are nested too deeply`)
    for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) {
        walk(path, depth + 1)
        continue
      }
      if (!entry.isFile())
        throw new ConfigError(
          `${join(root, path)} is neither file nor directory: a set has no links and no devices`,
        )
      paths.push(path)
      total += lstatOf(join(root, path)).size
      if (paths.length > MAX_FILES) throw new ConfigError(`${root} has more than ${MAX_FILES} files`)
      if (total > MAX_SET) throw new ConfigError(`${root} is larger than ${MAX_SET >> 20} MiB`)
    }
  }
  walk('', 0)
  return paths.toSorted()
}

function readText(path: string): string {
  const { size } = lstatOf(path)
  if (size > MAX_FILE) throw new ConfigError(`${path} is larger than ${MAX_FILE >> 20} MiB`)
  let octets: Buffer
  try {
    octets = readFileSync(path)
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    // Old files are in Latin-1: nothing but their comments differs.
    return octets.toString('latin1')
  }
}

function lstatOf(path: string) {
  try {
    return lstatSync(path)
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'there is no such file or directory' : reasonOf(error)
    throw new ConfigError(`cannot open ${path}: ${reason}`, { cause: error })
  }
}
