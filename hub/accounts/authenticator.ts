/**
 * Decides who may log in.
 *
 * | failures of     | free | wait after the next ones | one is forgotten every |
 * |-----------------|------|--------------------------|------------------------|
 * | one address     | 5    | 1 s, doubling to 60 s    | 60 s                   |
 * | one user's name | 10   | 1 s, doubling to 30 s    | 60 s                   |
 *
 * An IPv6 address counts as its /64. The user's own wait holds for passwords only, and not for an address from which
 * the user has logged in before. A right key is always accepted: others cannot lock its owner out, and guessing keys
 * leads nowhere. Unknown users, and those without a password, cost the time of a password check.
 */
import { isIPv6 } from 'node:net'
import { BackOff, type BackOffLimits } from '#hub/accounts/back-off.ts'
import { WorkQueue } from '#hub/accounts/work-queue.ts'
import {
  MAX_PASSWORD,
  PASSWORD_COST,
  type PasswordCost,
  hashPassword,
  needsRehash,
  verifyPassword,
} from '#hub/accounts/password.ts'

const ADDRESS_LIMITS: BackOffLimits = {
  free: 5,
  baseMs: 1000,
  maxMs: 60_000,
  forgetMs: 60_000,
  maxKeys: 10_000,
}
const USER_LIMITS: BackOffLimits = {
  free: 10,
  baseMs: 1000,
  maxMs: 30_000,
  forgetMs: 60_000,
  maxKeys: 10_000,
}
/** Password checks at once, each of which takes memory and a thread, and those that wait for one. */
const CHECKS_AT_ONCE = 2
const CHECKS_WAITING = 32
const BUSY_RETRY_MS = 1000
/** Pairs of user and address that have logged in with success. */
const MAX_FAMILIAR = 10_000

export interface Verdict {
  readonly accepted: boolean
  /** Not looked at: try again after this time. */
  readonly retryAfterMs?: number
}

/** What the authenticator needs of the accounts. */
export interface Credentials {
  hasKey(user: string, blob: Uint8Array): boolean
  passwordHash(user: string): string | undefined
  replacePasswordHash(user: string, old: string, hash: string): void
}

export interface KeyAttempt {
  readonly user: string
  readonly blob: Uint8Array
  readonly address: string
  /** The peer has proved to own the key; otherwise it asks whether to. Only a failed proof counts as a failure. */
  readonly signed: boolean
}

export interface PasswordAttempt {
  readonly user: string
  readonly password: string
  readonly address: string
}

export class Authenticator {
  readonly #credentials: Credentials
  readonly #cost: PasswordCost
  readonly #dummy: Promise<string>
  readonly #queue = new WorkQueue(CHECKS_AT_ONCE, CHECKS_WAITING)
  readonly #addresses = new BackOff(ADDRESS_LIMITS)
  readonly #users = new BackOff(USER_LIMITS)
  readonly #familiar = new Set<string>()

  constructor(credentials: Credentials, cost = PASSWORD_COST) {
    this.#credentials = credentials
    this.#cost = cost
    this.#dummy = hashPassword('nobody has this password', cost)
  }

  /** @param now  monotonic milliseconds */
  key(attempt: KeyAttempt, now: number): Verdict {
    const address = networkOf(attempt.address)
    if (this.#credentials.hasKey(attempt.user, attempt.blob)) {
      if (attempt.signed) this.#remember(attempt.user, address)
      return { accepted: true }
    }
    const wait = this.#addresses.wait(address, now)
    if (wait > 0) return { accepted: false, retryAfterMs: wait }
    if (attempt.signed) this.#addresses.fail(address, now)
    return { accepted: false }
  }

  /** @param now  monotonic milliseconds */
  async password({ user, password, address: from }: PasswordAttempt, now: number): Promise<Verdict> {
    const address = networkOf(from)
    const isFamiliar = this.#familiar.has(pairOf(user, address))
    const wait = Math.max(this.#addresses.wait(address, now), isFamiliar ? 0 : this.#users.wait(user, now))
    if (wait > 0) return { accepted: false, retryAfterMs: wait }
    if (this.#queue.isFull) return { accepted: false, retryAfterMs: BUSY_RETRY_MS }
    this.#addresses.fail(address, now)
    if (!isFamiliar) this.#users.fail(user, now)
    const accepted = await this.#queue.run(() => this.#check(user, password))
    if (accepted) {
      this.#addresses.forgive(address)
      if (!isFamiliar) this.#users.forgive(user)
      this.#remember(user, address)
    }
    return { accepted }
  }

  async #check(user: string, password: string): Promise<boolean> {
    const hashed = this.#credentials.passwordHash(user)
    const fits = Buffer.byteLength(password) <= MAX_PASSWORD
    const isRight = await verifyPassword(hashed ?? (await this.#dummy), fits ? password : '')
    if (!isRight || hashed === undefined || !fits) return false
    if (needsRehash(hashed, this.#cost)) {
      this.#credentials.replacePasswordHash(user, hashed, await hashPassword(password, this.#cost))
    }
    return true
  }

  #remember(user: string, address: string): void {
    const pair = pairOf(user, address)
    this.#familiar.delete(pair)
    this.#familiar.add(pair)
    if (this.#familiar.size <= MAX_FAMILIAR) return
    for (const oldest of this.#familiar) {
      this.#familiar.delete(oldest)
      return
    }
  }
}

const pairOf = (user: string, address: string): string => `${user}\n${address}`

/** What one site can hardly have many of: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return plain
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)
  if (mapped?.[1] !== undefined) return mapped[1]
  const [head = '', tail] = plain.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const end = tail === '' ? [] : tail.split(':')
    while (groups.length + end.length < 8) groups.push('0')
    groups.push(...end)
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
