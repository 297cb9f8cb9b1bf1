/**
 * What the supervisor tells the processes that it starts, and how it knows them again: run/NAME.json in the data
 * directory. A new supervisor adopts a process whose pid, start time and configuration are the ones it wants.
 */
import { createHash } from 'node:crypto'
import { closeSync, fchownSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { startTimeOf } from '#net/base/start-time.ts'
import { withinDirectory } from '#hub/base/directory.ts'
import type { Identity } from '#hub/base/privilege.ts'

/** What a process answers to the operation `status`, at least. */
export interface ProcessIdentity {
  readonly pid: number
  /** In clock ticks since the system's start: with the pid, one process and no other. */
  readonly startTime: string
  /** Of its configuration. */
  readonly fingerprint: string
}

const RUN = 'run'

/** Writes the configuration of process `name`; working directory: the data directory. @returns its fingerprint */
export const writeProcessConfig = (name: string, config: object, owner: Identity | undefined): string =>
  withinDirectory(RUN, (run) => writeConfigFile(`${run}/${name}.json`, config, owner))

/** Replaces a configuration. @returns its fingerprint */
export function writeConfigFile(file: string, config: object, owner: Identity | undefined): string {
  const text = JSON.stringify(config)
  const temporary = `${file}.new`
  rmSync(temporary, { force: true })
  // The directory may be another user's, who must not have root write through a link, or give him another file.
  const fd = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(fd, text)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, file)
  return fingerprintOf(text)
}

/** What `writeProcessConfig` wrote, as JSON. */
export function readProcessConfig(name: string): { text: string; fingerprint: string } {
  const text = readFileSync(`${RUN}/${name}.json`, 'utf8')
  return { text, fingerprint: fingerprintOf(text) }
}

export function identityOf(fingerprint: string): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', fingerprint }
}

export const fingerprintOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16)
