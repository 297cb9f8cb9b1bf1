/** What an interface was before it was bridged, and who bridges it: enough to put it back, by whoever comes next. */
import { z } from 'zod'
import { startTimeOf } from '#net/base/start-time.ts'

const count = z.int().nonnegative()
const owner = z.strictObject({
  pid: count,
  /** With the pid, one process and no other. */
  startTime: z.string().regex(/^\d{1,20}$/),
  /** Tells the ports of one process apart. */
  port: count,
})
const record = z.strictObject({
  index: count,
  /** For people; interfaces are known by index. */
  name: z.string().max(15),
  /** MAC: another one is another interface. */
  address: z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
  /** Present when raised. `set`: while it still is this, it is ours to restore. */
  mtu: z.strictObject({ before: count, set: count }).optional(),
  broughtUp: z.boolean(),
  ipv6Off: z.boolean(),
  /** Offloads that were on and are switched off. */
  featuresOff: z.array(z.string().regex(/^[\w-]{1,32}$/)).max(64),
  /** Ports that bridge it; ones whose process has ended do not count. */
  owners: z.array(owner).max(256),
})

export type Owner = z.infer<typeof owner>
export type NicRecord = z.infer<typeof record>

/** A new port of this process. */
export function newOwner(): Owner {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '0', port: ports++ }
}
let ports = 0

export const isAlive = (who: Owner): boolean => startTimeOf(who.pid) === who.startTime

export const isSameOwner = (a: Owner, b: Owner): boolean =>
  a.pid === b.pid && a.startTime === b.startTime && a.port === b.port

export const formatRecord = (what: NicRecord): string => `${JSON.stringify(what, null, 2)}\n`

/** Undefined when the text is no record. */
export function parseRecord(text: string): NicRecord | undefined {
  try {
    const result = record.safeParse(JSON.parse(text))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}
