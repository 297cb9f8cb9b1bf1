/** Which start of the system this is. */
import { readFileSync } from 'node:fs'

const UNKNOWN = '00000000-0000-0000-0000-000000000000'

/** A UUID that the kernel makes anew at each start: random(4). All zeros where it does not tell. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return UNKNOWN
  }
}
