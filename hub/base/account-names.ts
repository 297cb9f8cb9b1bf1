/** Users and groups of the machine by name and number, wherever it keeps them (nsswitch.conf(5)). */
import koffi from 'koffi'
import { libc } from '#net/port/c-library.ts'
import { intOctets } from '#net/port/libc.ts'
import { u32le } from '#net/wire/octets.ts'

/** The common beginning of struct passwd and struct group: name, password, number, (users) group. */
const Entry = koffi.struct({ name: 'char*', password: 'char*', id: 'uint32', group: 'uint32' })
interface AccountEntry {
  readonly name: string
  readonly id: number
  readonly group: number
}

const getpwuid = libc.func('void* getpwuid(unsigned int)') as (uid: number) => unknown
const getpwnam = libc.func('void* getpwnam(const char*)') as (name: string) => unknown
const getgrgid = libc.func('void* getgrgid(unsigned int)') as (gid: number) => unknown
const getgrnam = libc.func('void* getgrnam(const char*)') as (name: string) => unknown
const getgrouplist = libc.func('int getgrouplist(const char*, unsigned int, void*, void*)') as (
  user: string,
  group: number,
  groups: Uint8Array,
  count: Uint8Array,
) => number

/** Groups of one user that are looked at. */
const MOST_GROUPS = 1024

function entryOf(pointer: unknown): AccountEntry | undefined {
  if (pointer === null) return undefined
  const entry: AccountEntry = koffi.decode(pointer, Entry)
  return entry
}

/** The user's name; the number as text when there is none. */
export const userName = (uid: number): string => entryOf(getpwuid(uid))?.name ?? String(uid)

/** Number of a user who is named, or given as a number; undefined when there is no such user. */
export const userNumber = (user: string): number | undefined =>
  /^\d{1,9}$/.test(user) ? Number(user) : entryOf(getpwnam(user))?.id

/** The group's name; the number as text when there is none. */
export const groupName = (gid: number): string => entryOf(getgrgid(gid))?.name ?? String(gid)

/** Number of a group that is named, or given as a number; undefined when there is no such group. */
export const groupNumber = (group: string): number | undefined =>
  /^\d{1,9}$/.test(group) ? Number(group) : entryOf(getgrnam(group))?.id

export function isInGroup(uid: number, gid: number): boolean {
  const user = entryOf(getpwuid(uid))
  if (user === undefined) return false
  const groups = new Uint8Array(MOST_GROUPS * 4)
  const count = intOctets(MOST_GROUPS)
  const found = getgrouplist(user.name, user.group, groups, count) < 0 ? MOST_GROUPS : u32le(count, 0)
  for (let i = 0; i < found; i++) if (u32le(groups, i * 4) === gid) return true
  return false
}
