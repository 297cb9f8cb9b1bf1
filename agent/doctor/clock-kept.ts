/** Whether the kernel's clock is kept right by NTP or the like: adjtimex(2), which sets nothing when it is asked so. */
import { hasLibc, libc } from '#net/port/c-library.ts'

const TIMEX = 208
/** Offset of `status` in struct timex of 64-bit systems. */
const STATUS = 40
const STA_UNSYNC = 0x40
const TIME_ERROR = 5

/** Undefined when it does not tell. */
export function isClockKept(): boolean | undefined {
  if (!hasLibc) return undefined
  const adjtimex = libc.func('int adjtimex(void*)')
  const timex = new Uint8Array(TIMEX)
  const state: unknown = adjtimex(timex)
  if (typeof state !== 'number' || state < 0) return undefined
  const status = new DataView(timex.buffer).getInt32(STATUS, true)
  return state !== TIME_ERROR && (status & STA_UNSYNC) === 0
}
