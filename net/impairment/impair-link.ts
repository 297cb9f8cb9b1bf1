/** Impairs the link before a port: `hybridge bridge port set private0 3 impair-out=delay=50ms,loss=1%`. */
import { randomBytes } from 'node:crypto'
import { ImpairedLink } from '#net/impairment/impaired-link.ts'
import { parseImpairment } from '#net/impairment/impairment-text.ts'
import type { LinkSchedule } from '#net/impairment/link-schedule.ts'
import type { SwitchPort } from '#net/switch/switch.ts'

/**
 * @param directions  RECEIVED, SENT or both, which then have the same seed
 * @returns makes the change, and cannot fail
 * @throws ConfigError that names the option and what is allowed
 */
export function impairLink(
  text: string,
  schedule: LinkSchedule,
  entry: SwitchPort,
  directions: readonly number[],
): () => void {
  const wanted = parseImpairment(text)
  if (wanted === null) {
    return () => {
      for (const direction of directions) entry.setLink(direction, null)
    }
  }
  const impairment = { ...wanted, seed: wanted.seed ?? randomBytes(4).readUInt32LE() }
  return () => {
    for (const stream of directions) {
      const end = entry.linkEnd(stream)
      entry.setLink(stream, new ImpairedLink({ impairment, stream, end, schedule }))
    }
  }
}
