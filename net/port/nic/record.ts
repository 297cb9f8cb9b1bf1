/** What an interface was before it was bridged, and who bridges it: enough to put it back, by whoever comes next. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { startTimeOf } from '#net/base/start-time.ts'
import { errnoOf } from '#net/base/unknown.ts'

const count = z.int().nonnegative()
const owner = z.strictObject({
  pid: count,
  /** With the pid, one process and no other. */
  startTime: z.string().regex(/^\d{1,20}$/),
  /** Tells the ports of one process apart. */
  port: count,
})
const record = z.strictObject({
  /** The start of the system that it is of (`bootId`): the next one finds other interfaces under the same numbers. */
  boot: z.string().regex(/^[\da-f-]{36}$/),
  index: count,
  /** For people; interfaces are known by index. */
  name: z.string().max(15),
  /** MAC: another one is another interface. */
  address: z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
  /** Present when raised. `set`: while it still is one of these, it is ours to restore; two while it is being set. */
  mtu: z.strictObject({ before: count, set: z.array(count).min(1).max(2) }).optional(),
  /** Present when IPv6 had one of its own, which the kernel forgets whenever the interface's is set. */
  ipv6Mtu: count.optional(),
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

export const isAlive = (who: Owner): boolean => startTimeOf(who.pid) === who.startTime || isHidden(who.pid)

/** Whether there is such a process, of another user, of which /proc shows nothing (`hidepid` in proc(5)). */
function isHidden(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`)
    return false
  } catch {
    // That it cannot be read is the question.
  }
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

export const isSameOwner = (a: Owner, b: Owner): boolean =>
  a.pid === b.pid && a.startTime === b.startTime && a.port === b.port

/** The owners, with one more, or the same again. */
export const withOwner = (owners: readonly Owner[], one: Owner): Owner[] => [
  ...owners.filter((known) => !isSameOwner(known, one)),
  one,
]

const isOurs = ({ pid }: Owner): boolean => pid === process.pid

/**
 * What holds where `own` could not be written to the file: it is newer, but for other processes that came or left.
 * @param own  undefined: the file was to be removed
 */
export function mergeUnwritten(
  file: NicRecord | undefined,
  own: NicRecord | undefined,
): NicRecord | undefined {
  const others = file?.owners.filter((who) => !isOurs(who)) ?? []
  if (own !== undefined) return { ...own, owners: [...others, ...own.owners.filter(isOurs)] }
  return file === undefined || others.length === 0 ? undefined : { ...file, owners: others }
}

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
