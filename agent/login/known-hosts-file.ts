/** The known_hosts files of this user and machine: where they are, reading them, remembering a key. */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

import { formatEntry, parseKnownHosts, type KnownHost, type KnownHosts } from '#agent/login/known-hosts.ts'
import { ConfigError, fileReasonOf } from '#net/base/errors.ts'

const MAX_FILE = 64 * 1024 * 1024

/** Files of the user that are read, in ssh's order; the first is the one that new keys go to. */
export const userKnownHosts = (home: string = homedir()): readonly string[] => [
  join(home, '.ssh/known_hosts'),
  join(home, '.ssh/known_hosts2'),
]

/** Those of the machine, which follow. */
export const globalKnownHosts: readonly string[] = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']

/** Reads all files that exist. @throws ConfigError for one that exists and cannot be read. */
export function readKnownHosts(files: readonly string[]): KnownHosts {
  const entries: KnownHost[] = []
  const problems: string[] = []
  for (const file of files) {
    const parsed = parseKnownHosts(readIfThere(file), file)
    entries.push(...parsed.entries)
    problems.push(...parsed.problems)
  }
  return { entries, problems }
}

function readIfThere(file: string): string {
  try {
    const text = readFileSync(file)
    if (text.length > MAX_FILE) throw new RangeError(`larger than ${MAX_FILE} octets`)
    return text.toString('latin1')
  } catch (error) {
    if (isMissing(error)) return ''
    throw new ConfigError(`cannot read ${file}: ${fileReasonOf(error)}`, { cause: error })
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

/**
 * Appends the key in one write, so that programs adding keys at the same time do not mix lines. The name is hashed
 * when the file already hides names. A file made here is 0600, its folder 0700.
 */
export function rememberKey(file: string, host: string, port: number, key: Buffer): void {
  try {
    makeFolder(dirname(file))
    const hashed = parseKnownHosts(readIfThere(file), file).entries.some((entry) =>
      entry.names.startsWith('|'),
    )
    const fd = openSync(file, 'a+', 0o600)
    try {
      const line = formatEntry(host, port, key, hashed)
      writeSync(fd, endsInsideLine(fd) ? `\n${line}` : line)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`cannot write ${file}: ${fileReasonOf(error)}`, { cause: error })
  }
}

/** One level only: ~/.ssh, not a path that was mistyped. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function endsInsideLine(fd: number): boolean {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
}
