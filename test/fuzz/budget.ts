/** How long each fuzz target runs: `HYBRIDGE_FUZZ_SECONDS`, 2 s when it is not set. Failures print seed and path. */
import type { Parameters } from 'fast-check'

const seconds = Number(process.env['HYBRIDGE_FUZZ_SECONDS'] ?? 2)

/** For `fc.assert`: as many runs as fit. `HYBRIDGE_FUZZ_SEED` repeats a run. */
export function budget<T>(): Parameters<T> {
  const seed = process.env['HYBRIDGE_FUZZ_SEED']
  return {
    numRuns: 1_000_000_000,
    interruptAfterTimeLimit: seconds * 1000,
    endOnFailure: false,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  }
}

/** Time for a test: the target's own and a margin. */
export const TIMEOUT_MS = (seconds + 30) * 1000
