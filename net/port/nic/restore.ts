/** Puts interfaces back that a bridge which was killed left changed. */
import { linkAddress, linkName } from '#net/port/nic/link.ts'
import { isAlive } from '#net/port/nic/record.ts'
import { type Warn, recordedLinks, withRecord } from '#net/port/nic/records.ts'
import { undoChanges } from '#net/port/nic/undo.ts'

export interface Restored {
  /** What an interface is called now. */
  readonly name: string
  /** What was put back: `MTU 1500`. */
  readonly done: readonly string[]
  /** Processes that bridge it: nothing was changed then. */
  readonly heldBy: readonly number[]
}

/** Restores the recorded interfaces of this network namespace. @param only  the name of one; undefined: all */
export function restoreNics(only: string | undefined, warn: Warn): Restored[] {
  const restored: Restored[] = []
  for (const index of recordedLinks())
    withRecord(index, undefined, warn, (slot) => {
      const record = slot.read()
      const name = linkName(index)
      if (record === undefined || name === '' || (only !== undefined && name !== only)) return
      const heldBy = [...new Set(record.owners.filter(isAlive).map(({ pid }) => pid))]
      if (heldBy.length > 0) {
        restored.push({ name, done: [], heldBy })
        return
      }
      // Another address: an interface that has only the number of the recorded one.
      if (linkAddress(name) === record.address)
        restored.push({ name, done: undoChanges(record, warn), heldBy })
      slot.write(undefined)
    })
  return restored
}
