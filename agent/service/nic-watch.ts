/** Waits for an interface that is missing. */
import { hasLibc } from '#net/port/c-library.ts'
import { linkIndex } from '#net/port/nic/link.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'

/** It may still be given its address, its name, its network namespace. */
const SETTLE_MS = 200

/**
 * Calls back once when there is an interface of this name, until the result is called. Where the system does not tell,
 * never.
 */
export function watchNic(nic: string, onThere: () => void): () => void {
  if (!hasLibc) return () => {}
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    if (linkIndex(nic) !== 0) timer ??= setTimeout(onThere, SETTLE_MS)
  }
  const forget = watchLinks(look)
  look() // it may have come before
  return () => {
    forget()
    clearTimeout(timer)
  }
}
