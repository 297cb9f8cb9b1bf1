/** Whether memory stays flat while a process does the same all the time. */
import type { Sample } from '#test/soak/watch.ts'

/** What the last third may be above the second, whichever is more. */
const SHARE = 0.2
const ALLOWED_MIB = 40

export interface Flatness {
  /** Medians of a stretch's second and last third, MiB. */
  second: number
  last: number
  isFlat: boolean
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}

/**
 * Of one process over a stretch in which it was never ended. Its first third is for the heap to grow to its size. A
 * stretch with two processes, or with none, is not flat.
 */
export function flatness(samples: readonly Sample[], fromMs: number, toMs: number): Flatness {
  const third = (toMs - fromMs) / 3
  const within = (n: number): number =>
    median(
      samples
        .filter(({ atMs }) => atMs >= fromMs + n * third && atMs < fromMs + (n + 1) * third)
        .map(({ residentMib }) => residentMib),
    )
  const stretch = samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  const [second, last] = [within(1), within(2)]
  const isOne = new Set(stretch.map(({ pid }) => pid)).size === 1
  return { second, last, isFlat: isOne && last - second <= Math.max(SHARE * second, ALLOWED_MIB) }
}
