/**
 * Users of the hub's processes, and how a process that was started as root becomes one of them.
 * A hub that was not started as root runs all its processes as the user who started it.
 */
import koffi from 'koffi'
import { SystemError } from '#net/base/errors.ts'
import { systemError } from '#net/port/libc.ts'
import { putU32le, u32le } from '#net/wire/octets.ts'

export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** Who the processes run as: control and fabric as `service`, gateways as `gateway`. */
export interface ProcessUsers {
  readonly service: Identity
  readonly gateway: Identity
}

/** linux/capability.h */
export const CAP_NET_ADMIN = 12
export const CAP_NET_RAW = 13
export type Capability = typeof CAP_NET_ADMIN | typeof CAP_NET_RAW

// linux/prctl.h
const PR_SET_DUMPABLE = 4
const PR_SET_KEEPCAPS = 8
const PR_SET_NO_NEW_PRIVS = 38
const CAPABILITY_VERSION_3 = 0x20080522

const libc = koffi.load('libc.so.6')
const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)') as (
  option: number,
  value: number,
  a3: number,
  a4: number,
  a5: number,
) => number
const capget = libc.func('int capget(void*, _Out_ void*)') as (header: Uint8Array, data: Uint8Array) => number
const capset = libc.func('int capset(void*, void*)') as (header: Uint8Array, data: Uint8Array) => number
/** The common beginning of struct passwd and struct group: name, password, id, (users) group. */
const Entry = koffi.struct({ name: 'char*', password: 'char*', id: 'uint32', group: 'uint32' })
const getpwnam = libc.func('void* getpwnam(const char*)') as (name: string) => unknown
const getgrnam = libc.func('void* getgrnam(const char*)') as (name: string) => unknown

interface UserEntry {
  readonly id: number
  readonly group: number
}
function entryOf(pointer: unknown): UserEntry | undefined {
  if (pointer === null) return undefined
  const entry: UserEntry = koffi.decode(pointer, Entry)
  return entry
}

/** The users that the hub's processes drop to; undefined when this process is not root and nothing is dropped. */
export function processUsers(): ProcessUsers | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const service = entryOf(getpwnam('hybridge')) ?? entryOf(getpwnam('daemon'))
  const gateway = entryOf(getpwnam('nobody'))
  if (!service || !gateway) {
    throw new SystemError(
      'ENOENT',
      'cannot run as root without users to drop to: need `nobody`, and `hybridge` or `daemon` (useradd --system hybridge)',
    )
  }
  return {
    service: { uid: service.id, gid: service.group },
    gateway: { uid: gateway.id, gid: entryOf(getgrnam('nogroup'))?.id ?? gateway.group },
  }
}

/** No program that this process starts gains privileges by being set-user-id or by file capabilities. */
export function forbidNewPrivileges(): void {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) {
    throw systemError('cannot set no_new_privs')
  }
}

/**
 * Becomes `identity` for good, keeping of root's capabilities those in `keep` that it has; then forbids new privileges
 * and core dumps, which would hold secrets. Capabilities are the calling thread's: other threads keep none. When not
 * root, or without an identity, the user stays what it is.
 * @param groups  further groups that the process is to be in
 */
export function dropTo(
  identity: Identity | undefined,
  keep: readonly Capability[],
  groups: readonly number[] = [],
): void {
  if (identity && process.geteuid?.() === 0) {
    if (identity.uid === 0) throw new Error('dropping privileges to root')
    prctl(PR_SET_KEEPCAPS, keep.length > 0 ? 1 : 0, 0, 0, 0)
    process.setgroups?.([...groups])
    process.setgid?.(identity.gid)
    process.setuid?.(identity.uid)
    keepCapabilities(keep)
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0)
    if (canBecomeRoot()) throw new Error('privileges were not dropped')
  }
  forbidNewPrivileges()
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}

function keepCapabilities(keep: readonly Capability[]): void {
  const header = new Uint8Array(8)
  putU32le(header, 0, CAPABILITY_VERSION_3)
  // Twice (effective, permitted, inheritable), for capabilities 0-31 and 32-63.
  const sets = new Uint8Array(24)
  if (capget(header, sets) !== 0) throw systemError('cannot read capabilities')
  const wanted = keep.reduce((bits, capability) => bits | (1 << capability), 0)
  const kept = u32le(sets, 4) & wanted
  sets.fill(0)
  putU32le(sets, 0, kept)
  putU32le(sets, 4, kept)
  if (capset(header, sets) !== 0) throw systemError('cannot set capabilities')
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0)
    return true
  } catch {
    return false
  }
}
