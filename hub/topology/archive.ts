/**
 * File sets as ZIP and tar.gz archives, in and out. An archive is hostile: what it says of sizes is checked against the
 * set's limits before anything is unpacked, and what comes out against what it said.
 */
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

import { packTar, unpackTar } from 'modern-tar'
import yauzl from 'yauzl'
import yazl from 'yazl'

import { MAX_FILES, MAX_SET, SetFiles } from '#hub/topology/set-files.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'

/** Octets of an archive itself: a set that cannot be compressed, and its directory. */
export const MAX_ARCHIVE = MAX_SET + (2 << 20)
/** Headers and padding of every file. */
const MAX_TAR = MAX_SET + (MAX_FILES + 100) * 2048
/** Entries of a ZIP, directories among them. */
const MAX_ENTRIES = 4 * MAX_FILES
/** Of the mode in a ZIP made by Unix: the kind of file. */
const S_IFMT = 0o170000
const KINDS_OF_FILES = new Set([0, 0o100000])
const TIME = new Date('2000-01-01T00:00:00Z')

export type ArchiveKind = 'zip' | 'tar.gz'

/** By its first octets; undefined when it is neither. */
export function archiveKindOf(octets: Buffer): ArchiveKind | undefined {
  if (octets.length >= 4 && octets[0] === 0x50 && octets[1] === 0x4b) return 'zip'
  return octets[0] === 0x1f && octets[1] === 0x8b ? 'tar.gz' : undefined
}

/** @param name  for errors @throws ConfigError */
export async function readArchive(octets: Buffer, kind: ArchiveKind, name: string): Promise<SetFiles> {
  const set = new SetFiles(name)
  if (octets.length > MAX_ARCHIVE) throw new ConfigError(`${name} is larger than ${MAX_ARCHIVE >> 20} MiB`)
  try {
    await (kind === 'zip' ? readZip(octets, set) : readTar(octets, set))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${name} is no whole ${kind} archive: ${reasonOf(error)}`, { cause: error })
  }
  return set
}

async function readZip(octets: Buffer, set: SetFiles): Promise<void> {
  const zip = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(octets, {
    lazyEntries: true,
    strictFileNames: true,
  })
  if (zip.entryCount > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} entries`)
  const open = promisify<yauzl.Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))
  const read = async (entry: yauzl.Entry): Promise<void> => {
    const { fileName, uncompressedSize, externalFileAttributes } = entry
    if (fileName.endsWith('/')) return
    // By whoever made it on Unix; elsewhere the upper half is empty.
    if (!KINDS_OF_FILES.has((externalFileAttributes >>> 16) & S_IFMT)) set.refuseEntry(fileName)
    if (!set.accepts(fileName, uncompressedSize)) return
    if (entry.isEncrypted()) throw new Error('it is encrypted')
    set.add(fileName, await buffer(await open(entry)))
  }
  const ended = once(zip, 'end')
  zip.on('entry', (entry: yauzl.Entry) => {
    read(entry).then(
      () => zip.readEntry(),
      (error: unknown) => zip.emit('error', error),
    )
  })
  zip.readEntry()
  await ended
}

async function readTar(octets: Buffer, set: SetFiles): Promise<void> {
  const tar = await promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)(octets, {
    maxOutputLength: MAX_TAR,
  })
  const entries = await unpackTar(tar, {
    strict: true,
    filter: ({ name, type = 'file', size }) => {
      if (type === 'directory' || type === 'pax-global-header') return false
      if (type !== 'file') set.refuseEntry(name)
      return set.accepts(bare(name), size)
    },
  })
  for (const { header, data } of entries) set.add(bare(header.name), Buffer.from(data ?? []))
}

/** `./topology.vmm`, as `tar` writes it when it is given the directory itself. */
const bare = (name: string): string => name.replace(/^(?:\.\/)+/, '')

/** The same files give the same octets. */
export async function writeArchive(files: ReadonlyMap<string, Buffer>, kind: ArchiveKind): Promise<Buffer> {
  const sorted = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (kind === 'zip') {
    const zip = new yazl.ZipFile()
    for (const [path, octets] of sorted) zip.addBuffer(octets, path, { mtime: TIME, mode: 0o100644 })
    zip.end()
    return buffer(zip.outputStream)
  }
  const tar = await packTar(
    sorted.map(([name, body]) => ({ header: { name, size: body.length, mode: 0o644, mtime: TIME }, body })),
  )
  return promisify<Uint8Array, Buffer>(gzip)(tar)
}
