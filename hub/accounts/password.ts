/** Password hashes: argon2id in PHC format (RFC 9106). */
import { hash, parseOptions, verify } from '@node-rs/argon2'
import { ConfigError } from '#net/base/errors.ts'

/** Octets in UTF-8. */
export const MAX_PASSWORD = 1024
const MIN_PASSWORD = 8

/** Cost of one hash; memory in KiB. */
export interface PasswordCost {
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}
/** Some 50 ms and 19 MiB on a server of 2022. */
export const PASSWORD_COST: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD)
    throw new ConfigError(`the password has fewer than ${MIN_PASSWORD} characters`)
  if (Buffer.byteLength(password) > MAX_PASSWORD)
    throw new ConfigError(`the password has over ${MAX_PASSWORD} octets`)
}

/** argon2id is the library's default. */
export const hashPassword = (password: string, cost = PASSWORD_COST): Promise<string> => hash(password, cost)

/** @throws when `hashed` is no argon2 hash */
export const verifyPassword = (hashed: string, password: string): Promise<boolean> => verify(hashed, password)

/** Whether a hash was made in another way, or with other parameters, than today's. */
export function needsRehash(hashed: string, cost = PASSWORD_COST): boolean {
  if (!hashed.startsWith('$argon2id$')) return true
  const made = parseOptions(hashed)
  return (
    made.memoryCost !== cost.memoryCost ||
    made.timeCost !== cost.timeCost ||
    made.parallelism !== cost.parallelism
  )
}
