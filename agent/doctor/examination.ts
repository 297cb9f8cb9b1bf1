/** Runs checks one after the other, each with a bound on its time, and skips those whose needs have failed. */
import { setTimeout as pause } from 'node:timers/promises'

import { type Check, type Finding, skipped, unknown } from '#agent/doctor/finding.ts'
import type { Patient } from '#agent/doctor/patient.ts'
import { reasonOf } from '#net/base/errors.ts'

export interface Examined {
  readonly check: Check
  readonly finding: Finding
  /** It was skipped for the check of this title. */
  readonly cause: string | undefined
  /** Milliseconds that it took. */
  readonly ms: number
}

/** Longer than the parts of each have: it does not come to this. */
const LONGEST_MS = 60_000

export class Examination {
  readonly #patient: Patient
  readonly #longestMs: number
  /** By the name of a check that failed or was skipped, the title of the one that is the cause. */
  readonly #missing = new Map<string, string>()

  constructor(patient: Patient, longestMs: number = LONGEST_MS) {
    this.#patient = patient
    this.#longestMs = longestMs
  }

  /** Never throws: a check that cannot be carried out has found out nothing. */
  async run(check: Check): Promise<Examined> {
    const need = check.needs.find((name) => this.#missing.has(name))
    const began = performance.now()
    const cause = need === undefined ? undefined : this.#missing.get(need)
    const finding = cause === undefined ? await this.#attempt(check) : skipped(`needs "${cause}"`)
    if (finding.status === 'failed' || finding.status === 'skipped')
      this.#missing.set(check.name, cause ?? check.title)
    return { check, finding, cause, ms: Math.round(performance.now() - began) }
  }

  async #attempt(check: Check): Promise<Finding> {
    const over = new AbortController()
    try {
      const found = Promise.resolve().then(() => check.run(this.#patient))
      // A question on the terminal takes the time that people take.
      if (this.#patient.isAsking) return await found
      found.catch(() => {})
      const late = pause(this.#longestMs, undefined, { signal: over.signal })
      const never = late.then(() =>
        unknown(`no result within ${this.#longestMs / 1000} s`, 'try again; if it stays so, report it'),
      )
      never.catch(() => {})
      return await Promise.race([found, never])
    } catch (error) {
      return unknown(
        `this check failed itself: ${reasonOf(error)}`,
        'as root it may tell more; else report it',
      )
    } finally {
      over.abort()
    }
  }
}
