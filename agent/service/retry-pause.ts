/**
 * When a link that failed for good is opened again: after 30 s, doubling to 5 min, each shortened by up to a quarter,
 * so that many agents do not come in step. People mend such faults, and no hurry helps.
 */
const FIRST_MS = 30_000
const LAST_MS = 300_000

/** @param failures  in a row, from 1 @param random  uniform in [0, 1) */
export function retryPauseMs(failures: number, random: number): number {
  const full = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 8))
  return full * (1 - random / 4)
}
