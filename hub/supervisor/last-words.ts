/** What a process wrote last into its log before it ended, for the reason that is given for its end. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { printable } from '#net/base/printable.ts'
import { isRecord } from '#net/base/unknown.ts'

const MAX_READ = 8192
const MAX_WORDS = 300

/** Octets of a log; 0 when there is none. */
export function logSize(file: string): number {
  return withLog(file, (fd) => fstatSync(fd).size) ?? 0
}

/** The last message after `from` octets, cut where it is long; empty when there is none. */
export function lastWords(file: string, from: number): string {
  const text = withLog(file, (fd) => {
    const { size } = fstatSync(fd)
    const start = Math.max(from > size ? 0 : from, size - MAX_READ)
    const octets = Buffer.alloc(MAX_READ)
    return octets.toString('utf8', 0, readSync(fd, octets, 0, MAX_READ, start))
  })
  return printable(messageOf(text?.trimEnd().split('\n').at(-1) ?? '')).slice(0, MAX_WORDS)
}

function messageOf(line: string): string {
  try {
    const fields: unknown = JSON.parse(line)
    return isRecord(fields) && typeof fields['msg'] === 'string' ? fields['msg'] : ''
  } catch {
    return line
  }
}

function withLog<T>(file: string, use: (fd: number) => T): T | undefined {
  let fd: number | undefined
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    return use(fd)
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
