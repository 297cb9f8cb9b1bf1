/** A file set where it is: a directory, an archive, or a topology file alone. */
import { type Stats, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { archiveKindOf, MAX_ARCHIVE, readArchive } from '#hub/topology/archive.ts'
import type { SourceFile } from '#hub/topology/language/source.ts'
import type { FileSet } from '#hub/topology/read.ts'
import { MAX_FILE, SetFiles } from '#hub/topology/set-files.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'

export interface TopologyFiles {
  /** The topology file itself. */
  readonly file: SourceFile
  /** Undefined: it is alone. */
  readonly set: FileSet | undefined
}

/** @param path  a topology file, which is then alone, or a set: a directory or an archive @throws ConfigError */
export async function openTopology(path: string): Promise<TopologyFiles> {
  const set = await openSet(path)
  if (set === undefined) return { file: { name: path, text: textOf(readOctets(path, MAX_FILE)) }, set }
  const { files } = set
  const name = topologyFileOf(path, [...files.keys()])
  const read = (one: string): string => textOf(files.get(one) ?? Buffer.alloc(0))
  return { file: { name: join(path, name), text: read(name) }, set: { paths: [...files.keys()], read } }
}

/** @returns undefined for a file that is no archive @throws ConfigError */
export async function openSet(path: string): Promise<SetFiles | undefined> {
  if (statusOf(path).isDirectory()) return readDirectory(path)
  const octets = readOctets(path, MAX_ARCHIVE)
  const kind = archiveKindOf(octets)
  return kind === undefined ? undefined : unwrapped(await readArchive(octets, kind, path), path)
}

/** An archive of one directory is that directory. */
function unwrapped(set: SetFiles, name: string): SetFiles {
  const paths = [...set.files.keys()]
  const top = `${paths[0]?.split('/')[0] ?? ''}/`
  if (!paths.every((path) => path.startsWith(top))) return set
  const inner = new SetFiles(name)
  for (const [path, octets] of set.files) inner.add(path.slice(top.length), octets)
  return inner
}

function topologyFileOf(name: string, paths: readonly string[]): string {
  const found = paths.filter((path) => path.endsWith('.vmm') && !path.includes('/'))
  const [first, second] = found
  if (first !== undefined && second === undefined) return first
  if (found.includes('topology.vmm')) return 'topology.vmm'
  if (first === undefined) throw new ConfigError(`${name} has no topology file: topology.vmm`)
  throw new ConfigError(
    `${name} has several topology files (${found.join(', ')}): name one of them topology.vmm`,
  )
}

function readDirectory(root: string): SetFiles {
  const set = new SetFiles(root)
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (!set.accepts(path, 0)) continue
      if (entry.isDirectory()) walk(path)
      else if (!entry.isFile()) set.refuseEntry(path)
      else if (set.accepts(path, statusOf(join(root, path)).size))
        set.add(path, readOctets(join(root, path), MAX_FILE))
    }
  }
  walk('')
  return set
}

function readOctets(path: string, most: number): Buffer {
  const status = statusOf(path)
  if (!status.isFile()) throw new ConfigError(`${path} is no file`)
  if (status.size > most) throw new ConfigError(`${path} is larger than ${most >> 20} MiB`)
  return attempt('read', path, () => readFileSync(path))
}

function textOf(octets: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    // Old files are in Latin-1: nothing but their comments differs.
    return octets.toString('latin1')
  }
}

const statusOf = (path: string): Stats => attempt('open', path, () => statSync(path))

function attempt<T>(what: string, path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'there is no such file or directory' : reasonOf(error)
    throw new ConfigError(`cannot ${what} ${path}: ${reason}`, { cause: error })
  }
}
