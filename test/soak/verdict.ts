/** What a run has found. */
export interface Check {
  what: string
  passed: boolean
  /** Figures, or what is wrong. */
  text: string
}

export interface FaultFigures {
  count: number
  /** The longest time from its end until pings were answered again. */
  slowestMs: number
}

export interface Verdict {
  soak: 'tunnel'
  seed: number
  minutes: number
  passed: boolean
  /** By kind. */
  faults: Record<string, FaultFigures>
  /** What the hosts received, in 10^9 octets. */
  gigabytes: number
  checks: Check[]
  /** The file with the last words of every program; only after a failure. */
  story?: string
}

export function printVerdict({ seed, minutes, passed, faults, gigabytes, checks, story }: Verdict): void {
  const count = Object.values(faults).reduce((sum, fault) => sum + fault.count, 0)
  console.log(`\nsoak tunnel: ${minutes} minutes, seed ${seed}, ${gigabytes.toFixed(1)} GB, ${count} faults`)
  for (const [name, fault] of Object.entries(faults))
    console.log(
      `  ${String(fault.count).padStart(3)}  ${name}: back within ${(fault.slowestMs / 1000).toFixed(1)} s`,
    )
  for (const check of checks) console.log(`${check.passed ? 'pass' : 'FAIL'}  ${check.what}: ${check.text}`)
  if (story !== undefined) console.log(`what every program said last: ${story}`)
  console.log(passed ? 'passed' : 'FAILED')
}
