/** Who bridges an interface now, or left it changed: its record as it is, read without the lock and never written. */
import { readFileSync } from 'node:fs'
import { bootId } from '#net/base/boot-id.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { isAlive, parseRecord } from '#net/port/nic/record.ts'
import { recordFile } from '#net/port/nic/records-directory.ts'

export interface BridgedBy {
  /** Processes that bridge it. */
  readonly pids: readonly number[]
  /** A process that was killed has left it changed, and none has it now. */
  readonly isLeftChanged: boolean
}

/** Undefined when this user may not know. */
export function bridgedBy(index: number): BridgedBy | undefined {
  let text
  try {
    text = readFileSync(recordFile(index), 'utf8')
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? { pids: [], isLeftChanged: false } : undefined
  }
  const record = parseRecord(text)
  if (record?.index !== index || record.boot !== bootId()) return { pids: [], isLeftChanged: false }
  const pids = [...new Set(record.owners.filter(isAlive).map(({ pid }) => pid))]
  return { pids, isLeftChanged: pids.length === 0 }
}
