/** What a check has found, and what a check is. */
import type { Patient } from '#agent/doctor/patient.ts'

/** `unknown`: it cannot be told. `skipped`: another check that it needs has failed. */
export type Status = 'ok' | 'warning' | 'failed' | 'unknown' | 'skipped'

export interface Finding {
  readonly status: Status
  /** One sentence, without a full stop. */
  readonly found: string
  /** What to do about it. */
  readonly remedy?: string
  /** For programs: names with their units. No secrets. */
  readonly facts?: Facts
}

export type Facts = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

export interface Check {
  /** Stable, for programs: `host-key`. */
  readonly name: string
  /** For people, up to 14 characters. */
  readonly title: string
  /** Names of checks before this one; where one of them has failed, this one is skipped. */
  readonly needs: readonly string[]
  /** It may throw: then it cannot tell. */
  readonly run: (patient: Patient) => Finding | Promise<Finding>
}

export const ok = (found: string, facts: Facts = {}): Finding => ({ status: 'ok', found, facts })
export const warning = (found: string, remedy: string, facts: Facts = {}): Finding => ({
  status: 'warning',
  found,
  remedy,
  facts,
})
export const failed = (found: string, remedy: string, facts: Facts = {}): Finding => ({
  status: 'failed',
  found,
  remedy,
  facts,
})
export const unknown = (found: string, remedy: string, facts: Facts = {}): Finding => ({
  status: 'unknown',
  found,
  remedy,
  facts,
})
export const skipped = (found: string): Finding => ({ status: 'skipped', found })
