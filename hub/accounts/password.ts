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

/** The library's name for argon2id, which is its default. */
const ARGON2ID: number = 2

export function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD)
    throw new ConfigError(`the password has fewer than ${MIN_PASSWORD} characters`)
  if (Buffer.byteLength(password) > MAX_PASSWORD)
    throw new ConfigError(`the password has over ${MAX_PASSWORD} octets`)
}

export const hashPassword = (password: string, cost = PASSWORD_COST): Promise<string> => hash(password, cost)

/** @throws when `hashed` is no argon2 hash */
export const verifyPassword = (hashed: string, password: string): Promise<boolean> => verify(hashed, password)

/** Whether a hash was made with other parameters than today's. */
export function needsRehash(hashed: string, cost = PASSWORD_COST): boolean {
  const made = parseOptions(hashed)
  const same =
    made.algorithm === ARGON2ID &&
    made.memoryCost === cost.memoryCost &&
    made.timeCost === cost.timeCost &&
    made.parallelism === cost.parallelism
  return !same
}
