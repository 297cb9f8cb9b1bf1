/** Puts interfaces back that a bridge which was killed left changed. */
import { linkName } from '#net/port/nic/link.ts'
import { isAlive } from '#net/port/nic/record.ts'
import { type Warn, withRecordFile } from '#net/port/nic/records.ts'
import { recordedLinks } from '#net/port/nic/records-directory.ts'
import { isRecordedLink, undoChanges } from '#net/port/nic/undo.ts'

export interface Restored {
  /** What an interface is called now. */
  readonly name: string
  /** What was put back: `MTU 1500`. */
  readonly done: readonly string[]
  /** Why the rest could not be: its record is kept. */
  readonly failures: readonly unknown[]
  /** Processes that bridge it: nothing was changed then. */
  readonly heldBy: readonly number[]
}

/**
 * Restores the recorded interfaces of this network namespace. @param only  the name of one; undefined: all
 * @throws Error when the records cannot be used
 */
export function restoreNics(only: string | undefined, warn: Warn): Restored[] {
  const restored: Restored[] = []
  for (const index of recordedLinks())
    withRecordFile(index, warn, (slot) => {
      const record = slot.read()
      const name = linkName(index)
      if (record === undefined || name === '' || (only !== undefined && name !== only)) return
      const heldBy = [...new Set(record.owners.filter(isAlive).map(({ pid }) => pid))]
      if (heldBy.length > 0) {
        restored.push({ name, done: [], failures: [], heldBy })
        return
      }
      if (!isRecordedLink(record)) return slot.write(undefined)
      const { done, failures, rest } = undoChanges(record)
      slot.write(rest)
      restored.push({ name, done, failures, heldBy })
    })
  return restored
}
